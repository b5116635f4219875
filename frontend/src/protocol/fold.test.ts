// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cutAt, lengthOf } from "./codepoints";
import { apply, emptyTranscript, leavesGap } from "./fold";
import type { ConversationEvent, ConversationSummary, Published, Transcript } from "./generated";

interface Golden {
  summary: ConversationSummary;
  events: Published[];
  transcript: Transcript;
}

const GOLDEN = new URL("../../../tests/golden/", import.meta.url);
const names = readdirSync(GOLDEN).filter((name) => name.endsWith(".json"));

const summary: ConversationSummary = {
  id: "c",
  title: "",
  pinned: false,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  running: false,
};

function golden(name: string): Golden {
  return JSON.parse(readFileSync(new URL(name, GOLDEN), "utf8")) as Golden;
}

function folded(events: ConversationEvent[], start = emptyTranscript(summary)): Transcript {
  return events.reduce((transcript, event, index) => {
    const isDelta = event.type.endsWith("_delta");
    const seq = transcript.seq + index + 1;
    return apply(transcript, {
      conversation_id: "c",
      at: "2026-01-01T00:00:01Z",
      event,
      ...(!isDelta && { seq }),
    });
  }, start);
}

const asked: ConversationEvent = {
  type: "turn_started",
  turn_id: "t",
  prompt: "?",
  model: "m",
  attachments: [],
};

describe("the golden logs", () => {
  it("are there", () => {
    expect(names.length).toBeGreaterThanOrEqual(12);
  });

  it.each(names)("%s", (name) => {
    const { summary: start, events, transcript } = golden(name);
    expect(events.reduce(apply, emptyTranscript(start))).toEqual(transcript);
  });

  it.each(names)("%s, with every event twice", (name) => {
    const { summary: start, events, transcript } = golden(name);
    const twice = events.flatMap((event) => [event, event]);
    expect(twice.reduce(apply, emptyTranscript(start))).toEqual(transcript);
  });
});

describe("sharing", () => {
  it("leaves the parts an event does not touch the same objects", () => {
    const before = folded([
      asked,
      { type: "text_done", part_id: "p", turn_id: "t", text: "one" },
      { type: "turn_finished", turn_id: "t", status: "completed" },
      { ...asked, turn_id: "u" },
    ]);
    const after = folded([{ type: "text_delta", part_id: "q", offset: 0, text: "two" }], before);
    expect(after.turns[0]).toBe(before.turns[0]);
    expect(after.turns[1]).not.toBe(before.turns[1]);
  });

  it("returns the same transcript for what it has seen", () => {
    const before = folded([asked]);
    expect(apply(before, { seq: 1, conversation_id: "c", at: "", event: asked })).toBe(before);
  });
});

describe("gaps", () => {
  const open = folded([asked, { type: "text_delta", part_id: "p", offset: 0, text: "a😀" }]);

  it.each([
    [2, false],
    [1, false],
    [3, true],
  ])("a delta at %i code points", (offset, gap) => {
    expect(leavesGap(open, { type: "text_delta", part_id: "p", offset, text: "x" })).toBe(gap);
  });

  it("is none where the part is closed already", () => {
    const closed = folded([{ type: "text_done", part_id: "p", turn_id: "t", text: "a" }], open);
    expect(leavesGap(closed, { type: "text_delta", part_id: "p", offset: 9, text: "x" })).toBe(
      false,
    );
  });

  it("is one where an unknown cell begins in the middle", () => {
    expect(leavesGap(open, { type: "code_delta", cell_id: "z", offset: 4, text: "x" })).toBe(true);
  });
});

describe("code points", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["a😀b", 3],
    ["中文𠀀", 3],
  ])("%s has %i", (text, length) => {
    expect(lengthOf(text)).toBe(length);
  });

  it("cuts between pairs, never in one", () => {
    expect(cutAt("a😀b", 2)).toBe("a😀");
    expect(cutAt("a😀b", 1)).toBe("a");
    expect(cutAt("ab", 9)).toBe("ab");
  });
});
