import { describe, expect, it } from "vitest";
import type { ConversationSummary, ParentLink } from "../protocol/generated";
import { branchesAt, forkAt } from "./branches";

const one = (id: string, created: string, parent?: ParentLink): ConversationSummary => ({
  id,
  title: "",
  pinned: false,
  created_at: created,
  updated_at: created,
  running: false,
  ...(parent && { parent }),
});
const link = { conversation_id: "a", before_turn: "t2", turns: 1 };

describe("branches", () => {
  const list = [one("c", "3", link), one("b", "2", link), one("a", "1"), one("x", "0")];

  it("stand at the question they part at, the first one first", () => {
    expect(branchesAt(list, { conversation: "a", turn: "t2" })).toEqual(["a", "b", "c"]);
    expect(branchesAt(list, { conversation: "a", turn: "t1" })).toEqual([]);
  });

  it("stay when the first of them is gone", () => {
    expect(branchesAt(list.slice(0, 2), { conversation: "a", turn: "t2" })).toEqual(["b", "c"]);
  });

  it("have one place, seen from each of them", () => {
    expect(forkAt({ id: "a" }, "t2", 1)).toEqual({ conversation: "a", turn: "t2" });
    expect(forkAt({ id: "b", parent: link }, "u2", 1)).toEqual({ conversation: "a", turn: "t2" });
    expect(forkAt({ id: "b", parent: link }, "t1", 0)).toEqual({ conversation: "b", turn: "t1" });
    expect(forkAt({ id: "b", parent: link }, "u3", 2)).toEqual({ conversation: "b", turn: "u3" });
  });
});
