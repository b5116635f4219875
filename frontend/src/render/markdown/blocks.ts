/**
 * Markdown that grows: cut into blocks, each parsed once and for all as soon as no later line can
 * change it. After every update the blocks hold the same nodes as a parse of the whole text would
 * give, including references to what is defined in another block, before or after. A finished block
 * keeps its identity, so what draws it need not draw again.
 */
import type { Definition, FootnoteDefinition, RootContent } from "mdast";
import { type Known, NOTHING_KNOWN, parse, resolve, walk } from "./parse";

export interface Block {
  /** Where the block starts in the text; stays the same while the block grows. */
  readonly start: number;
  readonly source: string;
  readonly nodes: readonly RootContent[];
  readonly links: readonly Definition[];
  readonly footnotes: readonly FootnoteDefinition[];
  /** Identifiers of the footnotes it calls, in order. */
  readonly calls: readonly string[];
}

/** A part of a source that can be parsed by itself. */
interface Piece {
  start: number;
  source: string;
  nodes: RootContent[];
}

export class MarkdownBlocks {
  private text = "";
  private finished: Block[] = [];
  private open: Block[] = [];
  /** Where the first unfinished block starts. */
  private openFrom = 0;
  /** Up to here, whole lines were looked at for finished blocks. */
  private seen = 0;
  private known: Known = NOTHING_KNOWN;
  private fence: OpenFence | null = null;

  /** The blocks of `text`; cheap when `text` is the last one and something more. */
  update(text: string): readonly Block[] {
    const source = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    if (source !== this.text) {
      if (!source.startsWith(this.text)) this.forget();
      this.text = source;
      this.advance();
    }
    return [...this.finished, ...this.open];
  }

  private forget(): void {
    this.finished = [];
    this.open = [];
    this.openFrom = 0;
    this.seen = 0;
    this.known = NOTHING_KNOWN;
    this.fence = null;
  }

  private advance(): void {
    this.fence ??= OpenFence.at(this.text, this.openFrom);
    const node = this.fence?.read(this.text) ?? null;
    if (node !== null) {
      const source = this.text.slice(this.openFrom);
      this.setOpen([{ start: this.openFrom, source, nodes: [node] }]);
      return;
    }
    this.fence = null;
    this.finishWholeLines();
    this.setOpen(pieces(this.text.slice(this.openFrom), this.openFrom, this.known));
  }

  /** A piece is finished when, by whole lines alone, another has begun behind it. */
  private finishWholeLines(): void {
    const end = this.text.lastIndexOf("\n") + 1;
    if (end <= this.seen) return;
    this.seen = end;
    const found = pieces(this.text.slice(this.openFrom, end), this.openFrom, this.known);
    const last = found.at(-1);
    if (last === undefined || found.length === 1) return;
    this.learn(found);
    this.openFrom = last.start;
    for (const piece of found.slice(0, -1)) this.finished.push(toBlock(piece, this.known));
  }

  private setOpen(found: Piece[]): void {
    this.learn(found);
    this.open = found.map((piece) => toBlock(piece, this.known));
  }

  /** Takes in what `found` defines, and reads again whatever refers to it. */
  private learn(found: Piece[]): void {
    const known = merge(this.finished, found);
    const changed = difference(this.known, known);
    this.known = known;
    if (changed.size === 0) return;
    this.finished = this.finished.map((block) => reread(block, changed, known));
    for (const piece of found) {
      if (!mentions(piece.source, changed)) continue;
      piece.nodes = parse(piece.source, known);
    }
  }
}

/** Cuts a source where its parts cannot influence each other. */
function pieces(source: string, offset: number, known: Known): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  let nodes: RootContent[] = [];
  for (const node of parse(source, known)) {
    const at = lineStart(source, node.position?.start.offset ?? 0);
    const before = nodes.at(-1);
    if (before !== undefined && canCut(before, node, source.slice(from, at))) {
      found.push({ start: offset + from, source: source.slice(from, at), nodes });
      from = at;
      nodes = [];
    }
    nodes.push(node);
  }
  if (nodes.length > 0) {
    found.push({ start: offset + from, source: source.slice(from), nodes });
  }
  return found;
}

/**
 * Without an empty line between them, a definition may still take the next line as its title, an
 * open formula the next lines as its own, and a formula may turn out to be none.
 */
function canCut(before: RootContent, next: RootContent, source: string): boolean {
  if (/\n[ \t]*\n$/.test(source)) return true;
  return before.type !== "definition" && next.type !== "formula" && !/\\\[|\$\$/.test(source);
}

function lineStart(source: string, offset: number): number {
  return source.lastIndexOf("\n", offset - 1) + 1;
}

function toBlock(piece: Piece, known: Known): Block {
  const links: Definition[] = [];
  const footnotes: FootnoteDefinition[] = [];
  const calls: string[] = [];
  walk(piece.nodes, (node) => {
    if (node.type === "definition") links.push(node);
    else if (node.type === "footnoteDefinition") footnotes.push(node);
    else if (node.type === "footnoteReference") calls.push(node.identifier);
  });
  resolve(piece.nodes, known);
  return { start: piece.start, source: piece.source, nodes: piece.nodes, links, footnotes, calls };
}

/** What all of it defines; the first definition of a name counts. */
function merge(blocks: readonly Block[], found: readonly Piece[]): Known {
  const links = new Map<string, Definition>();
  const footnotes = new Map<string, FootnoteDefinition>();
  const take = (node: Definition | FootnoteDefinition): void => {
    const id = node.identifier;
    if (node.type === "definition") {
      if (!links.has(id)) links.set(id, node);
    } else if (!footnotes.has(id)) footnotes.set(id, node);
  };
  for (const block of blocks) {
    block.links.forEach(take);
    block.footnotes.forEach(take);
  }
  for (const piece of found) {
    walk(piece.nodes, (node) => {
      if (node.type === "definition" || node.type === "footnoteDefinition") take(node);
    });
  }
  return links.size + footnotes.size === 0 ? NOTHING_KNOWN : { links, footnotes };
}

/** Labels whose meaning differs, footnotes with their `^`. */
function difference(old: Known, now: Known): Set<string> {
  const changed = new Set<string>();
  if (old === now) return changed;
  for (const id of new Set([...old.links.keys(), ...now.links.keys()])) {
    if (old.links.get(id)?.url !== now.links.get(id)?.url) changed.add(id);
  }
  for (const id of new Set([...old.footnotes.keys(), ...now.footnotes.keys()])) {
    if (old.footnotes.has(id) !== now.footnotes.has(id)) changed.add(`^${id}`);
  }
  return changed;
}

const LABEL = /\[((?:[^[\]\\]|\\[\s\S]){1,999})\]/g;

function mentions(source: string, labels: ReadonlySet<string>): boolean {
  for (const match of source.matchAll(LABEL)) {
    const label = (match[1] ?? "").replace(/\s+/g, " ").trim();
    if (labels.has(label.toLowerCase().toUpperCase().toLowerCase())) return true;
  }
  return false;
}

function reread(block: Block, changed: ReadonlySet<string>, known: Known): Block {
  if (!mentions(block.source, changed)) return block;
  const { start, source } = block;
  return toBlock({ start, source, nodes: parse(source, known) }, known);
}

/**
 * A top-level code fence that is still open: everything up to the end belongs to it, so long code
 * is not parsed again with every token.
 */
class OpenFence {
  private looked: number;

  private constructor(
    private readonly from: number,
    private readonly marker: string,
    private readonly language: string | null,
  ) {
    this.looked = from;
  }

  static at(text: string, offset: number): OpenFence | null {
    const end = text.indexOf("\n", offset);
    if (end < 0) return null;
    const match = /^(`{3,}|~{3,})[ \t]*([\w+#.-]*)[ \t]*$/.exec(text.slice(offset, end));
    if (match === null) return null;
    return new OpenFence(end + 1, match[1] ?? "", match[2] || null);
  }

  /** The code so far; null once a closing fence is there. */
  read(text: string): RootContent | null {
    const closing = new RegExp(`^ {0,3}${this.marker}${this.marker[0]}*[ \\t]*$`, "m");
    if (closing.test(text.slice(this.looked))) return null;
    this.looked = Math.max(this.from, text.lastIndexOf("\n") + 1);
    const value = text.slice(this.from).replace(/\n$/, "");
    return { type: "code", lang: this.language, meta: null, value };
  }
}
