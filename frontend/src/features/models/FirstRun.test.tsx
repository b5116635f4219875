import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { models, settings } from "../../lib/lists";
import { FirstRun } from "./FirstRun";

interface Sent {
  method: string;
  path: string;
  body: Record<string, unknown> | undefined;
}

const LOCAL = { id: "ollama", name: "Ollama", base_url: "http://127.0.0.1:11434/v1" };
let sent: Sent[];
let problems: unknown[];
let chosen: string[];

function answerTo(method: string, path: string): unknown {
  if (path === "settings" && method === "GET") {
    return { providers: [], local_servers: [{ ...LOCAL, models: ["ollama/qwen3"] }] };
  }
  const refreshed = path === "models?refresh=1" && problems.length === 0;
  const rows = refreshed ? [{ id: "openai/gpt-4o", name: "GPT-4o", provider: "OpenAI" }] : [];
  return { models: rows, default: null, problems };
}

beforeEach(() => {
  [sent, problems, chosen] = [[], [], []];
  settings.invalidate();
  models.invalidate();
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const path = url.slice(url.indexOf("/api/") + 5);
    const method = init.method ?? "GET";
    const body = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    sent.push({ method, path, body });
    return Promise.resolve(new Response(JSON.stringify(answerTo(method, path))));
  });
  render(<FirstRun onChoose={(model) => chosen.push(model)} />);
});

afterEach(cleanup);

const patches = () => sent.filter(({ method }) => method === "PATCH").map(({ body }) => body);

async function connect(key: string): Promise<void> {
  fireEvent.change(await screen.findByLabelText(en.providers.key), { target: { value: key } });
  fireEvent.click(screen.getByText(en.providers.connect));
}

it("uses a server that was found, for the next start too", async () => {
  fireEvent.click(await screen.findByText(en.providers.use("Ollama")));
  expect(chosen).toEqual(["ollama/qwen3"]);
  expect(patches()).toEqual([{ default_model: "ollama/qwen3" }]);
});

it("connects a provider with a key, and uses its first model", async () => {
  await connect("sk-1");
  await vi.waitUntil(() => chosen.length > 0);
  expect(chosen).toEqual(["openai/gpt-4o"]);
  expect(patches()[0]).toMatchObject({
    providers: [
      { id: "openai", name: "OpenAI", base_url: "https://api.openai.com/v1", key: "sk-1" },
    ],
  });
});

it("keeps nothing of a provider that refuses the key, and says what to do", async () => {
  problems = [{ provider: "OpenAI", error: { message: "Refused.", hint: "Check the key." } }];
  await connect("sk-1");
  expect(await screen.findByText("Refused.")).toBeTruthy();
  expect(screen.getByText("Check the key.")).toBeTruthy();
  expect(chosen).toEqual([]);
  expect(patches().at(-1)).toEqual({ providers: [] });
});

it("says where the data goes before anything is sent", async () => {
  expect(await screen.findByText(en.providers.goesTo("api.openai.com"))).toBeTruthy();
  expect(screen.getByText(en.providers.localNote)).toBeTruthy();
  fireEvent.click(screen.getByText(en.providers.tryDemo));
  expect(chosen).toEqual(["demo"]);
  expect(patches()).toEqual([]);
});
