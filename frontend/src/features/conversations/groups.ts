/** Conversations grouped by how long ago they were last used, in calendar days of this place. */
import type { ConversationSummary } from "../../protocol/generated";

export type GroupName = "pinned" | "today" | "yesterday" | "week" | "month" | "older";

export interface Group {
  name: GroupName;
  items: ConversationSummary[];
}

const ORDER: readonly GroupName[] = ["pinned", "today", "yesterday", "week", "month", "older"];
const DAY_MS = 86_400_000;

export function groupByDay(list: readonly ConversationSummary[], now: Date): Group[] {
  const groups = new Map<GroupName, ConversationSummary[]>();
  for (const one of list) {
    const name = one.pinned ? "pinned" : groupOf(daysBetween(new Date(one.updated_at), now));
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return ORDER.flatMap((name) => {
    const items = groups.get(name);
    return items ? [{ name, items }] : [];
  });
}

function groupOf(days: number): GroupName {
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  if (days <= 7) return "week";
  return days <= 30 ? "month" : "older";
}

/** Midnights between two moments. */
function daysBetween(from: Date, to: Date): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(to) - midnight(from)) / DAY_MS);
}
