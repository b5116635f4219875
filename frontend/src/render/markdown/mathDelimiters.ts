/**
 * Mathematics in Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, as micromark constructs, so that
 * code, escapes and containers keep their meaning. A single `$` follows pandoc's rules and also
 * refuses what reads like an amount of money. A formula opened on its own line may run over several
 * lines, but over no empty one. After a `$$` alone on its line the end may still be to come.
 */
import type { Literal } from "mdast";
import type { Extension as FromMarkdownExtension } from "mdast-util-from-markdown";
import type { Construct, Extension } from "micromark-util-types";
import { tokenizeFlow } from "./mathFlow";
import { BACKSLASH, DOLLAR } from "./mathMarks";
import { tokenizeText } from "./mathText";

/** A formula; `display` ones stand on a line of their own. */
export interface Formula extends Literal {
  type: "formula";
  display: boolean;
}

declare module "mdast" {
  interface PhrasingContentMap {
    formula: Formula;
  }
  interface RootContentMap {
    formula: Formula;
  }
}

/** The syntax, for `extensions`. */
export function mathSyntax(): Extension {
  const text: Construct = { name: "formulaText", tokenize: tokenizeText };
  const flow: Construct = { name: "formulaFlow", concrete: true, tokenize: tokenizeFlow };
  return {
    text: { [DOLLAR]: text, [BACKSLASH]: text },
    flow: { [DOLLAR]: flow, [BACKSLASH]: flow },
  };
}

/** Tokens to `formula` nodes, for `mdastExtensions`. */
export function mathFromMarkdown(): FromMarkdownExtension {
  return {
    enter: {
      formula(token) {
        const mark = this.sliceSerialize(token).slice(0, 2);
        this.enter({ type: "formula", value: "", display: mark === "$$" || mark === "\\[" }, token);
        this.buffer();
      },
      formulaText(token) {
        this.config.enter["data"]?.call(this, token);
      },
    },
    exit: {
      formulaText(token) {
        this.config.exit["data"]?.call(this, token);
      },
      formula(token) {
        const value = this.resume().trim();
        const node = this.stack.at(-1);
        if (node?.type === "formula") node.value = value;
        this.exit(token);
      },
    },
  };
}
