/** What the syntax of formulas in a line and on lines of their own share. */
import type { Code, ParseContext } from "micromark-util-types";

declare module "micromark-util-types" {
  interface TokenTypeMap {
    formula: "formula";
    formulaMark: "formulaMark";
    formulaText: "formulaText";
  }
}

export const DOLLAR = 36;
export const PARENTHESIS = 40;
export const BRACKET = 91;
export const BACKSLASH = 92;

/** What closes a formula: the one or two characters that must follow each other. */
export interface Closer {
  first: number;
  second: number | null;
}

/**
 * Up to where no formula of a kind can begin, since one that began before it found no end there.
 * Without it, many openings without an end would each be followed to the end of the text.
 */
const hopeless = new WeakMap<ParseContext, Map<string, number>>();

export function giveUp(parser: ParseContext, kind: string, until: number): void {
  const known = hopeless.get(parser) ?? new Map<string, number>();
  known.set(kind, Math.max(until, known.get(kind) ?? 0));
  hopeless.set(parser, known);
}

export function isHopeless(parser: ParseContext, kind: string, at: number): boolean {
  return at < (hopeless.get(parser)?.get(kind) ?? 0);
}

export function isEol(code: Code): boolean {
  return code !== null && code < -2;
}

export function isSpace(code: Code): boolean {
  return code === -2 || code === -1 || code === 32;
}

export function isDigit(code: Code): boolean {
  return code !== null && code >= 48 && code <= 57;
}

export function isAsciiWord(code: Code): boolean {
  return (
    isDigit(code) || (code !== null && /[A-Za-z]/.test(String.fromCharCode(Math.max(code, 0))))
  );
}
