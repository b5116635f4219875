/**
 * Python to coloured lines. Growing code is parsed from where it grew and only its last lines are
 * read again; `finish` reads all of it once more, for what an open bracket or string had hidden.
 */
import { TreeFragment, type Tree } from "@lezer/common";
import { highlightTree, tagHighlighter, tags } from "@lezer/highlight";
import { parser } from "@lezer/python";

export interface Token {
  readonly text: string;
  /** Empty for plain text. */
  readonly className: string;
}

export type CodeLine = readonly Token[];

/** Names for the parts of Python; also what the editor is coloured by. */
export const CLASSES = tagHighlighter([
  { tag: tags.keyword, class: "syn-keyword" },
  { tag: [tags.string, tags.special(tags.string), tags.escape], class: "syn-string" },
  { tag: tags.comment, class: "syn-comment" },
  { tag: [tags.number, tags.bool, tags.null], class: "syn-number" },
  { tag: tags.function(tags.variableName), class: "syn-function" },
  { tag: tags.function(tags.definition(tags.variableName)), class: "syn-function" },
  { tag: tags.function(tags.propertyName), class: "syn-function" },
  { tag: [tags.className, tags.definition(tags.className), tags.typeName], class: "syn-type" },
  { tag: [tags.operator, tags.derefOperator], class: "syn-operator" },
  { tag: tags.meta, class: "syn-type" },
  { tag: tags.variableName, class: "syn-variable" },
]);

/** While code grows, lines further up than this keep their colours. */
const SETTLED_AFTER = 40;

export class PythonHighlighter {
  private code = "";
  private tree: Tree | null = null;
  private lines: CodeLine[] = [];
  private finished = false;

  /** The lines of `code`; those that did not change are the same objects as before. */
  update(code: string, finish: boolean): readonly CodeLine[] {
    if (code === this.code && (this.finished || !finish)) return this.lines;
    const grown = this.tree !== null && code.startsWith(this.code);
    this.tree = this.parse(code, grown);
    const kept = grown && !finish ? Math.max(0, this.lines.length - SETTLED_AFTER) : 0;
    this.lines = [...this.lines.slice(0, kept), ...this.read(code, this.tree, kept)];
    this.code = code;
    this.finished = finish;
    return this.lines;
  }

  private parse(code: string, grown: boolean): Tree {
    if (!grown || this.tree === null) return parser.parse(code);
    const end = this.code.length;
    const change = { fromA: end, toA: end, fromB: end, toB: code.length };
    return parser.parse(code, TreeFragment.applyChanges(TreeFragment.addTree(this.tree), [change]));
  }

  private read(code: string, tree: Tree, fromLine: number): CodeLine[] {
    const start = offsetOf(code, fromLine);
    const lines = new LineBuilder();
    let at = start;
    highlightTree(
      tree,
      CLASSES,
      (from, to, className) => {
        if (from > at) lines.add(code.slice(at, from), "");
        lines.add(code.slice(Math.max(from, at), to), className);
        at = Math.max(at, to);
      },
      start,
    );
    lines.add(code.slice(at), "");
    return lines.done.map((line, index) => {
      const old = this.lines[fromLine + index];
      return old !== undefined && sameLine(old, line) ? old : line;
    });
  }
}

class LineBuilder {
  readonly done: Token[][] = [[]];

  add(text: string, className: string): void {
    const parts = text.split("\n");
    parts.forEach((part, index) => {
      if (index > 0) this.done.push([]);
      if (part !== "") this.done.at(-1)?.push({ text: part, className });
    });
  }
}

function offsetOf(code: string, line: number): number {
  let at = 0;
  for (let index = 0; index < line; index++) at = code.indexOf("\n", at) + 1;
  return at;
}

function sameLine(one: CodeLine, other: CodeLine): boolean {
  return (
    one.length === other.length &&
    one.every(
      (token, index) =>
        token.text === other[index]?.text && token.className === other[index]?.className,
    )
  );
}
