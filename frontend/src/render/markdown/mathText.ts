/** Formulas within a line of text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`. */
import type { Code, State, Token, Tokenizer } from "micromark-util-types";
import {
  BACKSLASH,
  BRACKET,
  type Closer,
  DOLLAR,
  giveUp,
  isAsciiWord,
  isDigit,
  isEol,
  isHopeless,
  isSpace,
  PARENTHESIS,
} from "./mathMarks";

/** `5 a day, or 40` in `$5 a day, or 40$`: words after a number that TeX would not have. */
function readsLikeMoney(content: string): boolean {
  if (!/^\d/.test(content) || !/\s/.test(content)) return false;
  const words = content.replace(/\\[A-Za-z]+/g, " ").replace(/\{[^{}]*\}/g, " ");
  return /[A-Za-z]{2,}|\p{Script=Han}/u.test(words);
}

export const tokenizeText: Tokenizer = function tokenizeText(effects, ok, nok) {
  const self = this;
  const before = this.previous;
  let closer: Closer;
  let contentFrom: Token["start"];
  let mark: Token;
  let emptyLine = false;
  return start;

  function start(code: Code): State | undefined {
    if (code === DOLLAR && before === DOLLAR) return nok(code);
    effects.enter("formula");
    effects.enter("formulaMark");
    effects.consume(code);
    return code === DOLLAR ? afterDollar : afterBackslash;
  }

  function afterDollar(code: Code): State | undefined {
    if (code === DOLLAR) {
      closer = { first: DOLLAR, second: DOLLAR };
      effects.consume(code);
      return open;
    }
    if (code === null || isSpace(code) || isEol(code) || isAsciiWord(before)) return nok(code);
    closer = { first: DOLLAR, second: null };
    return open(code);
  }

  function afterBackslash(code: Code): State | undefined {
    if (code !== PARENTHESIS && code !== BRACKET) return nok(code);
    closer = { first: BACKSLASH, second: code === PARENTHESIS ? 41 : 93 };
    effects.consume(code);
    return open;
  }

  function open(code: Code): State | undefined {
    effects.exit("formulaMark");
    contentFrom = self.now();
    if (closer.second === DOLLAR && code === DOLLAR) return nok(code);
    return isHopeless(self.parser, kind(), contentFrom.offset) ? nok(code) : between(code);
  }

  function kind(): string {
    return `text ${closer.second}`;
  }

  function between(code: Code): State | undefined {
    if (code === null) {
      if (closer.second !== null) giveUp(self.parser, kind(), self.now().offset);
      return nok(code);
    }
    if (isEol(code)) {
      if (emptyLine || closer.second === null) return nok(code);
      emptyLine = true;
      effects.enter("lineEnding");
      effects.consume(code);
      effects.exit("lineEnding");
      return between;
    }
    if (!isSpace(code)) emptyLine = false;
    if (code === closer.first) {
      mark = effects.enter("formulaMark");
      effects.consume(code);
      return closer.second === null ? closeSingle : closeDouble;
    }
    effects.enter("formulaText");
    return content(code);
  }

  function content(code: Code): State | undefined {
    if (code === null || isEol(code) || code === closer.first) {
      effects.exit("formulaText");
      return between(code);
    }
    effects.consume(code);
    return code === BACKSLASH ? escaped : content;
  }

  function escaped(code: Code): State | undefined {
    if (code === null || isEol(code)) return content(code);
    effects.consume(code);
    return content;
  }

  function closeSingle(code: Code): State | undefined {
    const value = self.sliceSerialize({ start: contentFrom, end: mark.start });
    if (isDigit(code) || code === DOLLAR || /\s$/.test(value) || readsLikeMoney(value)) {
      return nok(code);
    }
    return done(code);
  }

  function closeDouble(code: Code): State | undefined {
    if (code === closer.second) {
      effects.consume(code);
      return done;
    }
    mark.type = "formulaText";
    // The first character was no mark: it goes on as text, and a backslash takes the next along.
    return closer.first === BACKSLASH ? escaped(code) : content(code);
  }

  function done(code: Code): State | undefined {
    effects.exit("formulaMark");
    effects.exit("formula");
    return ok(code);
  }
};
