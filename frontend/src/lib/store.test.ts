import { beforeEach, describe, expect, it } from "vitest";
import type { ConversationEvent, Published, Transcript } from "../protocol/generated";
import { ApiError } from "./api";
import { mergeDeltas, TranscriptStore } from "./store";

const blank: Transcript = {
  id: "c",
  seq: 1,
  title: "",
  pinned: false,
  deleted: false,
  created_at: "",
  updated_at: "",
  kernel: { state: "parked", sandbox: "none", network: true },
  turns: [{ turn_id: "t", prompt: "?", attachments: [], parts: [], status: "running" }],
};

const published = (event: ConversationEvent, seq?: number, id = "c"): Published => ({
  conversation_id: id,
  at: "2026-01-01T00:00:00Z",
  event,
  ...(seq !== undefined && { seq }),
});
const delta = (offset: number, text: string) =>
  published({ type: "text_delta", part_id: "p", offset, text });
const titled = (title: string, seq: number) =>
  published({ type: "conversation_changed", title }, seq);

/** Answers readings when the test says so. */
class Reader {
  asked: string[] = [];
  #waiting: { resolve: (transcript: Transcript) => void; reject: (error: unknown) => void }[] = [];

  readonly read = (id: string) =>
    new Promise<Transcript>((resolve, reject) => {
      this.asked.push(id);
      this.#waiting.push({ resolve, reject });
    });

  async answer(transcript: Transcript): Promise<void> {
    this.#waiting.shift()?.resolve(transcript);
    await Promise.resolve();
  }

  async fail(error: unknown): Promise<void> {
    this.#waiting.shift()?.reject(error);
    await Promise.resolve();
    await Promise.resolve();
  }
}

let reader: Reader;
let frames: (() => void)[];
let store: TranscriptStore;
let drawn: number;

const drawFrame = () => frames.splice(0).forEach((run) => run());

function textOf(id = "c"): string | undefined {
  const loaded = store.get(id);
  if (loaded.state === "failed") return undefined;
  const part = loaded.transcript?.turns[0]?.parts[0];
  return part?.type === "text" ? part.text : undefined;
}

beforeEach(() => {
  reader = new Reader();
  frames = [];
  drawn = 0;
  store = new TranscriptStore(reader.read, (run) => frames.push(run));
  store.subscribe("c", () => {
    drawn += 1;
  });
});

describe("frames", () => {
  it("draws once for all that came between two frames", async () => {
    store.adopt(blank);
    drawn = 0;
    for (let i = 0; i < 500; i++) store.receive([delta(i, "x")]);
    expect([drawn, frames.length]).toEqual([0, 1]);
    drawFrame();
    expect(drawn).toBe(1);
    expect(textOf()).toBe("x".repeat(500));
  });

  it("draws nothing for a conversation that is not on screen", () => {
    store.receive([published({ type: "conversation_changed", title: "x" }, 5, "other")]);
    drawFrame();
    expect(store.get("other")).toEqual({ state: "loading" });
  });
});

describe("reading", () => {
  it("keeps what comes meanwhile and applies what the answer does not have", async () => {
    store.retry("c");
    store.receive([titled("old", 3), titled("new", 5)]);
    drawFrame();
    await reader.answer({ ...blank, seq: 4, title: "from the answer" });
    const loaded = store.get("c");
    expect(loaded.state === "ready" && [loaded.transcript.title, loaded.transcript.seq]).toEqual([
      "new",
      5,
    ]);
  });

  it("drops an answer that a later reading has overtaken", async () => {
    store.retry("c");
    store.retry("c");
    await reader.answer({ ...blank, title: "first" });
    expect(store.get("c").state).toBe("loading");
    await reader.answer({ ...blank, title: "second" });
    const loaded = store.get("c");
    expect(loaded.state === "ready" && loaded.transcript.title).toBe("second");
  });

  it("says why it failed", async () => {
    const error = new ApiError(404, { code: "not_found", message: "no", retryable: false });
    store.retry("c");
    await reader.fail(error);
    expect(store.get("c")).toEqual({ state: "failed", error });
  });

  it("that failed is done again when the server is back, and keeps nothing meanwhile", async () => {
    const error = new ApiError(0, { code: "unreachable", message: "no", retryable: true });
    store.retry("c");
    await reader.fail(error);
    store.receive([titled("dropped", 9)]);
    drawFrame();
    store.retryFailed();
    expect(reader.asked).toEqual(["c", "c"]);
    await reader.answer({ ...blank, title: "read" });
    const loaded = store.get("c");
    expect(loaded.state === "ready" && loaded.transcript.title).toBe("read");
    store.retryFailed();
    expect(reader.asked).toEqual(["c", "c"]);
  });

  it("reads only once for many who look, even where they listen first", () => {
    store.subscribe("d", () => {});
    store.open("d");
    store.open("d");
    expect(reader.asked).toEqual(["d"]);
  });
});

describe("a gap", () => {
  it("is healed by reading again, with the text still on screen", async () => {
    store.adopt(blank);
    store.receive([delta(0, "abc")]);
    drawFrame();
    store.receive([delta(9, "jkl")]);
    drawFrame();
    expect(reader.asked).toEqual(["c"]);
    expect(textOf()).toBe("abc");
    store.receive([delta(12, "mno")]);
    drawFrame();
    const part = { type: "text", part_id: "p", text: "abcdefghijkl", done: false } as const;
    const [turn] = blank.turns;
    if (turn === undefined) throw new Error("no turn");
    await reader.answer({ ...blank, turns: [{ ...turn, parts: [part] }] });
    expect(textOf()).toBe("abcdefghijklmno");
  });

  it("does not ask over and over", async () => {
    store.adopt(blank);
    store.receive([delta(9, "x")]);
    drawFrame();
    await reader.answer(blank);
    store.receive([delta(10, "y")]);
    drawFrame();
    expect(reader.asked).toEqual(["c"]);
  });
});

describe("another database", () => {
  it("reads what is watched again and forgets the rest", async () => {
    store.adopt(blank);
    store.adopt({ ...blank, id: "unwatched" });
    store.refresh();
    expect(reader.asked).toEqual(["c"]);
    expect(store.get("unwatched")).toEqual({ state: "loading" });
  });
});

describe("mergeDeltas", () => {
  it("joins neighbours of one part and nothing else", () => {
    const other = published({ type: "code_delta", cell_id: "x", offset: 0, text: "1" });
    expect(
      mergeDeltas([delta(0, "a😀"), delta(2, "b"), other, delta(3, "c"), delta(9, "z")]),
    ).toEqual([delta(0, "a😀b"), other, delta(3, "c"), delta(9, "z")]);
  });
});
