import { expect, it } from "vitest";
import { meaningOf } from "./shortcuts";

const press = (key: string, held: KeyboardEventInit = {}) =>
  new KeyboardEvent("keydown", { key, ...held });

it.each([
  [press("O", { ctrlKey: true, shiftKey: true }), "newChat"],
  [press("o", { metaKey: true, shiftKey: true }), "newChat"],
  [press("k", { ctrlKey: true }), "search"],
  [press("/", { ctrlKey: true }), "help"],
  [press("S", { ctrlKey: true, shiftKey: true }), "sidebar"],
  [press("Escape"), "stop"],
  [press("Escape", { shiftKey: true }), "focus"],
  [press("k"), undefined],
  [press("k", { ctrlKey: true, altKey: true }), undefined],
])("%#", (event, meaning) => {
  expect(meaningOf(event)).toBe(meaning);
});

it("leaves alone what somebody else has answered", () => {
  const event = new KeyboardEvent("keydown", { key: "Escape", cancelable: true });
  event.preventDefault();
  expect(meaningOf(event)).toBeUndefined();
});
