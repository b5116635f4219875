import { expect, it } from "vitest";
import { preferredLanguage } from "../lib/prefs";
import { en } from "./en";
import { duration, fileSize } from "./format";
import { zhCN } from "./zh-CN";

function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [`${path}:${typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, `${path}.${key}`));
}

it("says the same things in both languages", () => {
  expect(pathsOf(zhCN)).toEqual(pathsOf(en));
});

it.each([
  [["zh-TW", "en"], "zh-CN"],
  [["fr", "en-GB"], "en"],
  [["fr"], "en"],
] as const)("takes the first language it speaks of %j", (languages, language) => {
  expect(preferredLanguage(languages)).toBe(language);
});

it("writes sizes and spans as people read them", () => {
  expect([0, 999, 1_500, 250_000_000].map((bytes) => fileSize(bytes, "en"))).toEqual([
    "0 B",
    "999 B",
    "1.5 KB",
    "250 MB",
  ]);
  expect([40, 1_840, 59_400, 185_000].map((ms) => duration(ms, en))).toEqual([
    "< 0.1 s",
    "1.8 s",
    "59 s",
    "3 min 5 s",
  ]);
});
