/** Formulas on lines of their own: `$$…$$` and `\[…\]`. */
import type { Code, Construct, State, Token, Tokenizer } from "micromark-util-types";
import {
  BACKSLASH,
  BRACKET,
  type Closer,
  DOLLAR,
  giveUp,
  isEol,
  isHopeless,
  isSpace,
} from "./mathMarks";

const nextLineIsOurs: Construct = {
  partial: true,
  tokenize(effects, ok, nok) {
    const self = this;
    return (code) => {
      if (code === null) return nok(code);
      effects.enter("lineEnding");
      effects.consume(code);
      effects.exit("lineEnding");
      return (next) => (self.parser.lazy[self.now().line] ? nok(next) : ok(next));
    };
  },
};

export const tokenizeFlow: Tokenizer = function tokenizeFlow(effects, ok, nok) {
  const self = this;
  let closer: Closer;
  let mark: Token;
  /** A `$$` alone on its line: where the text ends, so does the formula. */
  let fenced = false;
  return start;

  function start(code: Code): State | undefined {
    effects.enter("formula", { _open: true });
    effects.enter("formulaMark");
    effects.consume(code);
    closer = code === DOLLAR ? { first: DOLLAR, second: DOLLAR } : { first: BACKSLASH, second: 93 };
    return second;
  }

  function second(code: Code): State | undefined {
    if (code !== (closer.first === DOLLAR ? DOLLAR : BRACKET)) return nok(code);
    effects.consume(code);
    effects.exit("formulaMark");
    return afterMark;
  }

  function afterMark(code: Code): State | undefined {
    if (code === DOLLAR && closer.first === DOLLAR) return nok(code);
    if (isSpace(code)) return spaces(code, afterMark);
    fenced = closer.first === DOLLAR && (code === null || isEol(code));
    return isHopeless(self.parser, kind(), self.now().line) ? nok(code) : between(code);
  }

  function kind(): string {
    return `flow ${closer.second} ${fenced}`;
  }

  function fail(code: Code): State | undefined {
    giveUp(self.parser, kind(), self.now().line);
    return nok(code);
  }

  function between(code: Code): State | undefined {
    if (code === null) return fenced ? finish(code) : fail(code);
    if (isEol(code))
      return effects.attempt(nextLineIsOurs, lineStart, fenced ? finish : fail)(code);
    if (code === closer.first) {
      mark = effects.enter("formulaMark");
      effects.consume(code);
      return close;
    }
    effects.enter("formulaText");
    return content(code);
  }

  function lineStart(code: Code): State | undefined {
    if (isSpace(code)) return spaces(code, lineStart);
    return isEol(code) ? fail(code) : between(code);
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

  function close(code: Code): State | undefined {
    if (code === closer.second) {
      effects.consume(code);
      effects.exit("formulaMark");
      return afterClose;
    }
    mark.type = "formulaText";
    return closer.first === BACKSLASH ? escaped(code) : content(code);
  }

  function afterClose(code: Code): State | undefined {
    if (isSpace(code)) return spaces(code, afterClose);
    return code === null || isEol(code) ? finish(code) : fail(code);
  }

  function spaces(code: Code, next: State): State | undefined {
    effects.enter("whitespace");
    effects.consume(code);
    effects.exit("whitespace");
    return next;
  }

  function finish(code: Code): State | undefined {
    effects.exit("formula");
    return ok(code);
  }
};
