/**
 * One piece of Markdown to syntax nodes with every reference resolved. What other pieces of the same
 * message define (link targets, footnotes) is handed in, so that a piece parsed alone gives the same
 * nodes as it would inside the whole.
 */
import type { Definition, FootnoteDefinition, Nodes, Parent, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { cjkFriendlyExtension } from "micromark-extension-cjk-friendly";
import { gfm } from "micromark-extension-gfm";
import type { Construct, Extension } from "micromark-util-types";
import { bareUrls } from "./bareUrls";
import { mathFromMarkdown, mathSyntax } from "./mathDelimiters";

/** What may be referred to, by identifier. */
export interface Known {
  links: ReadonlyMap<string, Definition>;
  footnotes: ReadonlyMap<string, FootnoteDefinition>;
}

export const NOTHING_KNOWN: Known = { links: new Map(), footnotes: new Map() };

const SYNTAX: Extension[] = [
  // One tilde is left alone: it means "about" far more often than "struck out".
  gfm({ singleTilde: false }),
  cjkFriendlyExtension(),
  bareUrls(),
  mathSyntax(),
];
const FROM_MARKDOWN = [gfmFromMarkdown(), mathFromMarkdown()];

/**
 * A construct that never matches: at each `[` it tells micromark what is defined elsewhere.
 * Definitions only have to be known before the `]` is looked at.
 */
function knownElsewhere(known: Known): Extension {
  let told = false;
  const announce: Construct = {
    name: "knownElsewhere",
    tokenize(_effects, _ok, nok) {
      if (told) return nok;
      told = true;
      const notes = (this.parser.gfmFootnotes ??= []);
      for (const id of known.links.keys()) add(this.parser.defined, id.toUpperCase());
      for (const id of known.footnotes.keys()) add(notes, id.toUpperCase());
      return nok;
    },
  };
  return { text: { 91: announce } };
}

function add(list: string[], item: string): void {
  if (!list.includes(item)) list.push(item);
}

/** Top-level nodes with positions; references still unresolved. */
export function parse(source: string, known: Known): RootContent[] {
  const nothing = known.links.size === 0 && known.footnotes.size === 0;
  const extensions = nothing ? SYNTAX : [...SYNTAX, knownElsewhere(known)];
  return fromMarkdown(source, { extensions, mdastExtensions: FROM_MARKDOWN }).children;
}

export function isParent(node: Nodes): node is Extract<Nodes, Parent> {
  return "children" in node;
}

/** Calls `visit` for the nodes and all they hold, in document order. */
export function walk(nodes: readonly Nodes[], visit: (node: Nodes) => void): void {
  for (const node of nodes) {
    visit(node);
    if (isParent(node)) walk(node.children, visit);
  }
}

/** Turns references into links and images, in place. */
export function resolve(nodes: RootContent[], known: Known): void {
  for (const node of nodes) resolveNode(node, known);
}

function resolveNode(node: Nodes, known: Known): void {
  if (!isParent(node)) return;
  const children: Nodes[] = node.children;
  for (let index = 0; index < children.length; index++) {
    const child = children[index];
    if (child === undefined) continue;
    resolveNode(child, known);
    if (child.type === "linkReference") {
      const target = known.links.get(child.identifier);
      children[index] = { type: "link", url: target?.url ?? "", children: child.children };
    } else if (child.type === "imageReference") {
      const target = known.links.get(child.identifier);
      children[index] = { type: "image", url: target?.url ?? "", alt: child.alt ?? "" };
    }
  }
}
