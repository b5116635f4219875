import { expect, it } from "vitest";
import { conversationIn } from "./route";

it.each([
  ["#/c/abc", "abc"],
  ["#/c/a%20b", "a b"],
  ["#/c/%E0%A4%A", "%E0%A4%A"],
  ["#/c/", undefined],
  ["#/", undefined],
])("%s", (hash, id) => {
  expect(conversationIn(hash)).toBe(id);
});
