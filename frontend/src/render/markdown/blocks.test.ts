import type { Nodes } from "mdast";
import { describe, expect, test } from "vitest";
import { MarkdownBlocks } from "./blocks";
import { NOTHING_KNOWN, parse, resolve } from "./parse";
import { DOCUMENTS } from "./documents.fixture";

/** The nodes without positions, adjacent texts joined. */
function bare(nodes: readonly Nodes[]): unknown {
  return JSON.parse(
    JSON.stringify(nodes, (key, value) => (key === "position" ? undefined : value)),
  );
}

function whole(text: string): unknown {
  const source = text.replace(/\r\n?/g, "\n");
  const nodes = parse(source, NOTHING_KNOWN);
  const links = new Map();
  JSON.stringify(nodes, (_key, value) => {
    if (value?.type === "definition" && !links.has(value.identifier)) {
      links.set(value.identifier, value);
    }
    return value;
  });
  resolve(nodes, { links, footnotes: new Map() });
  return bare(nodes);
}

function inSteps(
  text: string,
  step: number,
  check: (prefix: string, nodes: unknown) => void,
): void {
  const blocks = new MarkdownBlocks();
  for (let end = step; ; end += step) {
    const prefix = text.slice(0, end);
    check(prefix, bare(blocks.update(prefix).flatMap((block) => [...block.nodes])));
    if (end >= text.length) return;
  }
}

describe("text that grows", () => {
  for (const [name, text] of Object.entries(DOCUMENTS)) {
    test.each([1, 3, 7, 50])(`${name}: the same as parsed whole, in steps of %i`, (step) => {
      inSteps(text, step, (prefix, nodes) => {
        // Every step is taken; comparing at some of them, spread over the text, finds the same.
        const compared = prefix === text || (prefix.length / step) % Math.ceil(24 / step) === 0;
        if (compared) expect(nodes, prefix).toEqual(whole(prefix));
      });
    });
  }
});
