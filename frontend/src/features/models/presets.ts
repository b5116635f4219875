/** What the form for a provider begins with; everything in it can be changed. */
import type { ProviderInfo } from "../../lib/api";

export interface Preset {
  id: string;
  /** A proper name, the same in every language; "" asks the person for one. */
  name: string;
  kind: "openai" | "azure";
  baseUrl: string;
}

export const PRESETS: readonly Preset[] = [
  { id: "openai", name: "OpenAI", kind: "openai", baseUrl: "https://api.openai.com/v1" },
  { id: "azure", name: "Azure OpenAI", kind: "azure", baseUrl: "" },
  { id: "deepseek", name: "DeepSeek", kind: "openai", baseUrl: "https://api.deepseek.com/v1" },
  { id: "openrouter", name: "OpenRouter", kind: "openai", baseUrl: "https://openrouter.ai/api/v1" },
  { id: "other", name: "", kind: "openai", baseUrl: "" },
];

/** An id that no other provider has, made from a name. */
export function freeId(name: string, taken: readonly ProviderInfo[]): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const plain = slug.replace(/^-+|-+$/g, "").slice(0, 30) || "provider";
  const used = new Set([...taken.map(({ id }) => id), "environment", "demo"]);
  let id = plain;
  for (let n = 2; used.has(id); n += 1) id = `${plain}-${n}`;
  return id;
}

/** Names as they were typed: by commas or line by line. */
export function namesIn(text: string): string[] {
  return [...new Set(text.split(/[,\n，]/).map((name) => name.trim()))].filter(Boolean);
}

/** Where requests to an address go, in a word. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
