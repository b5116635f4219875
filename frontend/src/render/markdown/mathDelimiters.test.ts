import type { Nodes } from "mdast";
import { describe, expect, test } from "vitest";
import { NOTHING_KNOWN, parse, walk } from "./parse";

/** The formulas of a text, displayed ones marked. */
function formulas(text: string): string[] {
  const found: string[] = [];
  walk(parse(text, NOTHING_KNOWN), (node: Nodes) => {
    if (node.type === "formula") found.push(`${node.display ? "display " : ""}${node.value}`);
  });
  return found;
}

describe("formulas", () => {
  test.each<[string, string[]]>([
    ["$x$ and \\(y\\)", ["x", "y"]],
    ["设$x$为，$y$。", ["x", "y"]],
    ["$$x$$ and \\[y\\]", ["display x", "display y"]],
    [
      "$2 x + 1$, $10^{-3}$, $5$, $2 \\text{ units}$",
      ["2 x + 1", "10^{-3}", "5", "2 \\text{ units}"],
    ],
    ["$a \\$ b$", ["a \\$ b"]],
    ["$$\n\\frac{a}{b}\n$$", ["display \\frac{a}{b}"]],
    ["text\n$$\nx\n$$\ntext", ["display x"]],
    [
      "$$\\begin{aligned}\na &= b \\\\\n\\end{aligned}$$",
      ["display \\begin{aligned}\na &= b \\\\\n\\end{aligned}"],
    ],
    ["\\[\na\n- b\n= c\n\\]", ["display a\n- b\n= c"]],
    ["\\[ a \\\\[4pt] b \\]", ["display a \\\\[4pt] b"]],
    ["- item\n  $$\n  x\n  $$", ["display x"]],
    ["> \\[\n> x\n> \\]", ["display x"]],
    ["| a |\n|--|\n| $x$ |", ["x"]],
    ["$$\nstill open", ["display still open"]],
  ])("in %j", (text, expected) => {
    expect(formulas(text)).toEqual(expected);
  });

  test.each([
    "It costs $5 a day, or $40 a week.",
    "between $5 and $10",
    "$5/month, or 50$",
    "US$100、US$200",
    "从$5 涨到 10$",
    "`$x$`",
    "\\$x\\$",
    "$ x $",
    "$x",
    "\\(x",
    "\\[\n\nx\n\\]",
    "```\n$$\nx\n$$\n```",
    "$$ x",
  ])("not in %j", (text) => {
    expect(formulas(text)).toEqual([]);
  });
});
