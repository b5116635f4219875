/**
 * What a terminal would show of a stream of text: carriage returns, backspaces, cursor moves and
 * erased lines are carried out, colours kept, every other control sequence dropped. The stream may
 * be cut anywhere, also inside a sequence. Lines that did not change stay the same objects.
 */
import { applySgr, PLAIN, type Style, same } from "./sgr";

export interface Run {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Run[];

/** A control sequence, a string sequence (title, link, clipboard), or a single control. */
// oxlint-disable-next-line no-control-regex
const CONTROL =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b\u0018\u001a\n]*(?:\u0007|\u001b\\|[\u0018\u001a]|(?=[\n\u001b]))|\u001b[ -/]+[0-~]|\u001b[0-OQ-WYZ\\`-~]|\u001b|[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f-\u009f]/g;

/** The start of a sequence whose end has not come yet. */
// oxlint-disable-next-line no-control-regex
const UNFINISHED = /\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b\u0018\u001a\n]*\u001b?|[ -/]*)$/;

/** Longer than any sequence worth waiting for; what comes then is treated as it stands. */
const LONGEST_SEQUENCE = 65_536;

/** A cursor is not sent further than this: it would only make blanks. */
const LAST_COLUMN = 1_000;

export class Terminal {
  private readonly rows: Run[][] = [[]];
  private readonly widths: number[] = [0];
  /** Rows that were copied for this write, so that what was handed out stays as it was. */
  private readonly own = new Set<number>();
  private row = 0;
  private column = 0;
  private style: Style = PLAIN;
  private held = "";
  private written = "";

  get lines(): readonly Line[] {
    return this.rows;
  }

  /** Shows `text` if it is the last text and something more, else answers false. */
  show(text: string): boolean {
    if (!text.startsWith(this.written)) return false;
    if (text.length > this.written.length) this.write(text.slice(this.written.length));
    this.written = text;
    return true;
  }

  private write(chunk: string): void {
    this.own.clear();
    let text = this.held + chunk;
    this.held = "";
    const open = UNFINISHED.exec(text.slice(-LONGEST_SEQUENCE));
    if (open !== null) {
      this.held = open[0];
      text = text.slice(0, text.length - open[0].length);
    }
    let from = 0;
    for (const match of text.matchAll(CONTROL)) {
      if (match.index > from) this.put(text.slice(from, match.index));
      this.control(match[0]);
      from = match.index + match[0].length;
    }
    if (from < text.length) this.put(text.slice(from));
  }

  private control(sequence: string): void {
    if (sequence === "\n") this.lineFeed();
    else if (sequence === "\r") this.column = 0;
    else if (sequence === "\b") this.column = Math.max(0, this.column - 1);
    else if (sequence.startsWith("\u001b[")) this.csi(sequence.slice(2, -1), sequence.slice(-1));
  }

  private csi(parameters: string, final: string): void {
    if (final === "m") {
      if (/^[\d;:]*$/.test(parameters)) this.style = applySgr(this.style, parameters);
      return;
    }
    const count = Math.min(Math.max(Number.parseInt(parameters, 10) || 0, 0), 10_000);
    const step = Math.max(count, 1);
    switch (final) {
      case "A":
      case "F":
        this.row = Math.max(0, this.row - step);
        if (final === "F") this.column = 0;
        break;
      case "B":
      case "E":
        this.row = Math.min(this.rows.length - 1, this.row + step);
        if (final === "E") this.column = 0;
        break;
      case "C":
        this.column = Math.min(this.column + step, LAST_COLUMN);
        break;
      case "D":
        this.column = Math.max(0, this.column - step);
        break;
      case "G":
        this.column = Math.min(step - 1, LAST_COLUMN);
        break;
      case "K":
        this.eraseLine(count);
        break;
      case "J":
        if (count === 0) this.eraseBelow();
        break;
      default:
    }
  }

  private lineFeed(): void {
    this.row += 1;
    this.column = 0;
    if (this.row < this.rows.length) return;
    this.rows.push([]);
    this.widths.push(0);
    this.own.add(this.row);
  }

  private eraseLine(mode: number): void {
    const line = this.line();
    if (mode === 0) this.replace(cut(line, 0, this.column));
    else if (mode === 2) this.replace([]);
    else if (mode === 1) {
      this.replace([blank(this.column + 1), ...cut(line, this.column + 1, Infinity)]);
    }
  }

  private eraseBelow(): void {
    this.eraseLine(0);
    this.rows.length = this.row + 1;
    this.widths.length = this.row + 1;
  }

  private put(text: string): void {
    const width = widthOf(text);
    const length = this.widths[this.row] ?? 0;
    const run = { text, style: this.style };
    if (this.column < length) {
      const line = this.line();
      const after = cut(line, this.column + width, Infinity);
      this.replace([...cut(line, 0, this.column), run, ...after]);
    } else {
      const line = this.line();
      if (this.column > length) append(line, blank(this.column - length));
      append(line, run);
      this.widths[this.row] = this.column + width;
    }
    this.column += width;
  }

  /** The row under the cursor, to be changed. */
  private line(): Run[] {
    let line = this.rows[this.row] ?? [];
    if (!this.own.has(this.row)) {
      line = [...line];
      this.rows[this.row] = line;
      this.own.add(this.row);
    }
    return line;
  }

  private replace(runs: readonly Run[]): void {
    const line: Run[] = [];
    for (const run of runs) append(line, run);
    this.rows[this.row] = line;
    this.widths[this.row] = line.reduce((sum, run) => sum + widthOf(run.text), 0);
  }
}

/** Neighbours of one style become one run. */
function append(line: Run[], run: Run): void {
  if (run.text === "") return;
  const last = line.at(-1);
  if (last !== undefined && same(last.style, run.style)) {
    line[line.length - 1] = { text: last.text + run.text, style: last.style };
  } else line.push(run);
}

function blank(width: number): Run {
  return { text: " ".repeat(width), style: PLAIN };
}

// oxlint-disable-next-line no-control-regex
const ASTRAL = /[\ud800-\udbff][\udc00-\udfff]/g;

/** Columns are code points: a surrogate pair must not be cut in two. */
function widthOf(text: string): number {
  return text.length - (text.match(ASTRAL)?.length ?? 0);
}

/** The columns from `from` up to `to`. */
function cut(line: Line, from: number, to: number): Run[] {
  const found: Run[] = [];
  let at = 0;
  for (const run of line) {
    const width = widthOf(run.text);
    const text = slice(run.text, Math.max(0, from - at), Math.max(0, to - at), width);
    if (text !== "") found.push({ text, style: run.style });
    at += width;
  }
  return found;
}

function slice(text: string, from: number, to: number, width: number): string {
  if (width === text.length) return text.slice(from, to);
  return Array.from(text).slice(from, to).join("");
}

/** The text a terminal would show, without colours. */
export function plainText(text: string): string {
  const terminal = new Terminal();
  terminal.show(text);
  return terminal.lines.map((line) => line.map((run) => run.text).join("")).join("\n");
}
