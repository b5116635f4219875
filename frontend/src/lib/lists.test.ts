import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ConversationEvent, ConversationSummary } from "../protocol/generated";
import { conversations, files, hearEvents } from "./lists";

const summary = (id: string, updated_at: string): ConversationSummary => ({
  id,
  title: id,
  pinned: false,
  created_at: updated_at,
  updated_at,
  running: false,
});

const NOTHING = { added: [], changed: [], removed: [] };
let asked: string[];

function hear(conversation_id: string, event: ConversationEvent): void {
  hearEvents([{ conversation_id, at: "2026-01-09T00:00:00Z", event, seq: 1 }]);
}

const list = () => conversations.get("").data?.map(({ id, running }) => [id, running]);

beforeEach(async () => {
  asked = [];
  const all = [summary("a", "2026-01-02T00:00:00Z"), summary("b", "2026-01-01T00:00:00Z")];
  vi.stubGlobal("fetch", (url: string) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    return Promise.resolve(Response.json(pathname.endsWith("/files") ? { files: [] } : all));
  });
  const read = Promise.all([
    new Promise<void>((resolve) => conversations.subscribe("", resolve)),
    new Promise<void>((resolve) => files.subscribe("a", resolve)),
  ]);
  conversations.invalidate("");
  files.invalidate("a");
  await read;
  asked = [];
});

describe("hearEvents", () => {
  it("moves a conversation that is asked something to the top, running", () => {
    hear("b", { type: "turn_started", turn_id: "t", prompt: "?", model: "m", attachments: [] });
    expect(list()).toEqual([
      ["b", true],
      ["a", false],
    ]);
    hear("b", { type: "turn_finished", turn_id: "t", status: "completed" });
    expect(list()?.[0]).toEqual(["b", false]);
    expect(asked).toEqual([]);
  });

  it("reads the list again for a conversation it does not have", () => {
    hear("new", { type: "turn_started", turn_id: "t", prompt: "?", model: "m", attachments: [] });
    expect(asked).toEqual(["/api/conversations"]);
  });

  it("reads the files again when a cell or an upload has touched them, and only then", () => {
    hear("a", { type: "cell_finished", cell_id: "x", status: "ok", ms: 1, files: NOTHING });
    expect(asked).toEqual([]);
    hear("a", { type: "files_changed", files: { ...NOTHING, added: ["new.csv"] } });
    expect(asked).toEqual(["/api/conversations/a/files"]);
  });
});
