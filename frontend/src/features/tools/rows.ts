/** MCP servers as text in fields, and back. */
import type { ToolServer, ToolServerChange } from "../../lib/api";

/** One line for each variable (`NAME=value`) or header (`Name: value`). */
export function pairsText(pairs: Record<string, string>, separator: "=" | ": "): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}${separator}${value}`)
    .join("\n");
}

/** The pairs in such lines; undefined if a line is none. */
export function pairsIn(text: string, separator: "=" | ":"): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  for (const line of linesIn(text)) {
    const at = line.indexOf(separator);
    if (at < 1) return undefined;
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return found;
}

export function linesIn(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** The servers in the `{"mcpServers": {...}}` of another program; undefined if it is none. */
export function serversIn(text: string): ToolServerChange[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isTable(value)) return undefined;
  const table = isTable(value.mcpServers) ? value.mcpServers : value;
  const rows = Object.entries(table);
  if (rows.length === 0 || !rows.every(([, row]) => isTable(row))) return undefined;
  return rows.map(([name, row]) => known(name, row as Record<string, unknown>));
}

const FIELDS = ["command", "args", "env", "cwd", "url", "headers"] as const;

function known(name: string, row: Record<string, unknown>): ToolServerChange {
  const fields = FIELDS.filter((field) => row[field] !== undefined);
  const kept = Object.fromEntries(fields.map((field) => [field, row[field]]));
  return { name, ...kept, ...(row.disabled === true && { enabled: false }) };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A server that stays as it is; the values of its variables and headers are not known here. */
export function asChange(one: ToolServer): ToolServerChange {
  const { source: _source, state: _state, problem: _problem, tools: _tools, ...row } = one;
  return row;
}

/** The servers with one added, or put in place of the one with the former name. */
export function withServer(
  all: readonly ToolServer[],
  changed: readonly ToolServerChange[],
  former: string | undefined,
): ToolServerChange[] {
  const names = new Set(changed.map(({ name }) => name));
  const stay = all.filter(({ name }) => name !== former && !names.has(name)).map(asChange);
  return [...stay, ...changed];
}
