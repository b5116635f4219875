import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { Tooltip } from "radix-ui";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import type { ToolServer } from "../../lib/api";
import { settings } from "../../lib/lists";
import { pairsIn, serversIn } from "./rows";
import { ToolsDialog } from "./ToolsDialog";

const SERVER: ToolServer = {
  name: "files",
  command: "npx",
  args: ["-y", "server"],
  env: { KEY: "********" },
  cwd: null,
  url: null,
  headers: {},
  trust: true,
  enabled: true,
  timeout: null,
  source: "page",
  state: "failed",
  problem: "The MCP server files did not start: no licence",
  tools: [],
};
let sent: { method: string; path: string; body: unknown }[];
let servers: ToolServer[];

beforeEach(() => {
  [sent, servers] = [[], [SERVER]];
  settings.invalidate();
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    const path = url.slice(url.indexOf("/api/") + 5);
    sent.push({ method: init.method ?? "GET", path, body });
    const answer = { providers: [], local_servers: [], mcp_servers: servers };
    return Promise.resolve(new Response(JSON.stringify(answer)));
  });
  render(
    <Tooltip.Provider>
      <ToolsDialog onClose={() => {}} />
    </Tooltip.Provider>,
  );
});

afterEach(cleanup);

const type = (label: string, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
const changes = () => sent.filter(({ method }) => method !== "GET");

it("tells in a sentence why a server is not there", async () => {
  expect(await screen.findByText(SERVER.problem ?? "")).toBeTruthy();
  expect(screen.getByText(en.tools.states.failed ?? "")).toBeTruthy();
});

it("adds a server, keeps the others as they are, and checks it", async () => {
  await screen.findByText("files");
  fireEvent.click(screen.getByText(en.tools.add));
  type(en.tools.name, "mine");
  type(en.tools.command, "uvx");
  type(en.tools.args, "a server\n--quiet\n");
  type(en.tools.env, "TOKEN=a=b");
  fireEvent.click(screen.getByText(en.tools.save));
  await vi.waitUntil(() => changes().length === 2);
  const { source: _s, state: _t, problem: _p, tools: _o, ...kept } = SERVER;
  const added = {
    name: "mine",
    command: "uvx",
    args: ["a server", "--quiet"],
    env: { TOKEN: "a=b" },
    cwd: null,
    enabled: true,
    trust: false,
    timeout: null,
  };
  expect(changes()).toEqual([
    { method: "PATCH", path: "settings", body: { mcp_servers: [kept, added] } },
    { method: "POST", path: "mcp/check", body: { name: "mine" } },
  ]);
});

it("refuses what is no configuration before it is sent", async () => {
  await screen.findByText("files");
  fireEvent.click(screen.getByText(en.tools.add));
  type(en.tools.kind, "json");
  type(en.tools.json, "mcpServers: no");
  fireEvent.click(screen.getByText(en.tools.save));
  expect((await screen.findByRole("alert")).textContent).toBe(en.tools.notJson);
  expect(changes()).toEqual([]);
});

it("reads what another program keeps", () => {
  const text = '{"mcpServers": {"a": {"command": "x", "autoApprove": [], "disabled": true}}}';
  expect(serversIn(text)).toEqual([{ name: "a", command: "x", enabled: false }]);
  expect(serversIn('{"b": {"url": "http://x", "type": "http"}}')).toEqual([
    { name: "b", url: "http://x" },
  ]);
  expect(serversIn("[1]")).toBeUndefined();
  expect(pairsIn("A: b: c\n\nD:", ":")).toEqual({ A: "b: c", D: "" });
  expect(pairsIn("nothing", "=")).toBeUndefined();
});
