import { expect, it } from "vitest";
import type { ConversationSummary } from "../../protocol/generated";
import { groupByDay } from "./groups";

const NOW = new Date(2026, 4, 20, 0, 30);

function used(id: string, at: Date, pinned = false): ConversationSummary {
  const when = at.toISOString();
  return { id, title: id, pinned, created_at: when, updated_at: when, running: false };
}

it("groups by calendar days, not by hours, and puts the pinned first", () => {
  const list = [
    used("an hour ago", new Date(2026, 4, 19, 23, 30)),
    used("now", new Date(2026, 4, 20, 0, 20)),
    used("last week", new Date(2026, 4, 14)),
    used("old and pinned", new Date(2020, 0, 1), true),
    used("this month", new Date(2026, 3, 25)),
    used("long ago", new Date(2025, 0, 1)),
  ];
  expect(groupByDay(list, NOW).map(({ name, items }) => [name, items.map(({ id }) => id)])).toEqual(
    [
      ["pinned", ["old and pinned"]],
      ["today", ["now"]],
      ["yesterday", ["an hour ago"]],
      ["week", ["last week"]],
      ["month", ["this month"]],
      ["older", ["long ago"]],
    ],
  );
});
