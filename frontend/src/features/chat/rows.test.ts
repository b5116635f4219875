import { expect, it } from "vitest";
import type { Transcript, Turn, TurnPart } from "../../protocol/generated";
import { answerText, isVisiblyBusy, rowsOf } from "./rows";

const text = (id: string, done = true): TurnPart => ({
  type: "text",
  part_id: id,
  text: `${id} `,
  done,
});
const cell: TurnPart = {
  type: "cell",
  cell_id: "x",
  code: "1",
  origin: "person",
  status: "ok",
  outputs: [],
  files: { added: [], changed: [], removed: [] },
  clear_pending: false,
};
const turn = (fields: Partial<Turn>): Turn => ({
  prompt: "?",
  attachments: [],
  parts: [],
  status: "completed",
  ...fields,
});

it("lays a conversation out in rows with stable keys", () => {
  const transcript = {
    turns: [turn({ turn_id: "t", parts: [text("a"), text("b")] }), turn({ parts: [cell] })],
  } as Transcript;
  expect(rowsOf(transcript).map(({ kind, key }) => [kind, key])).toEqual([
    ["prompt", "t:prompt"],
    ["part", "a"],
    ["part", "b"],
    ["end", "t:end:2"],
    ["part", "x"],
  ]);
});

it("tells of a model that cannot see once, before the first answer it matters to", () => {
  const blind = { turn_id: "a", model: "m", unseen: 1 };
  const turns = [turn(blind), turn({ ...blind, turn_id: "b" })];
  const others = [turn({ ...blind, turn_id: "d", model: "n" }), turn({ turn_id: "e", model: "o" })];
  const rows = rowsOf({ turns: [...turns, ...others] } as Transcript);
  const told = rows.filter(({ kind }) => kind === "unseen").map(({ key }) => key);
  expect(told).toEqual(["a:unseen", "d:unseen"]);
  expect(rows[1]?.key).toBe("a:unseen");
});

it("knows whether a turn shows by itself that it is worked on", () => {
  expect(isVisiblyBusy(turn({}))).toBe(false);
  expect(isVisiblyBusy(turn({ parts: [text("a", false)] }))).toBe(true);
  expect(isVisiblyBusy(turn({ parts: [text("a"), cell] }))).toBe(false);
});

it("copies what the model said, without the code", () => {
  expect(answerText(turn({ parts: [text("a"), cell, text("b")] }))).toBe("a\n\nb");
});
