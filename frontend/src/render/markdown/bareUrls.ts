/**
 * Addresses that stand in the text without any markup. As in GitHub's Markdown, but they also end at
 * Chinese, Japanese and Korean punctuation, which follows them without a space.
 */
import type { Code, Construct, Event, Extension, State, Tokenizer } from "micromark-util-types";

declare module "micromark-util-types" {
  interface TokenTypeMap {
    literalAutolink: "literalAutolink";
    literalAutolinkHttp: "literalAutolinkHttp";
    literalAutolinkWww: "literalAutolinkWww";
  }
}

const PREFIXES = ["https://", "http://", "www."];
const ENDS = /[\s<>，。；：！？、（）【】《》〈〉「」『』“”‘’…]/;
/** Punctuation belongs to the sentence when nothing of the address follows it. */
const TRAILING = /[?!.,:;*_~'"]/;

function character(code: Code): string {
  return code === null || code < 0 ? " " : String.fromCharCode(code);
}

function ends(code: Code): boolean {
  return ENDS.test(character(code));
}

/** Matches when only punctuation is left; `passed` is told how much of it there was. */
function onlyPunctuationLeft(passed: (count: number) => void): Construct {
  return {
    partial: true,
    tokenize(effects, ok, nok) {
      let count = 0;
      return function next(code: Code): State | undefined {
        if (ends(code)) return ok(code);
        if (!TRAILING.test(character(code)) && code !== 41) {
          passed(count);
          return nok(code);
        }
        count += 1;
        effects.enter("data");
        effects.consume(code);
        effects.exit("data");
        return next;
      };
    },
  };
}

function tokenizer(type: "literalAutolinkHttp" | "literalAutolinkWww"): Tokenizer {
  return function tokenize(effects, ok, nok) {
    const self = this;
    const before = this.previous;
    let prefixes = PREFIXES;
    let taken = 0;
    let brackets = 0;
    /** Punctuation that is known to be followed by more of the address. */
    let inside = 0;
    const trail = onlyPunctuationLeft((count) => {
      inside = count;
    });
    return start;

    function start(code: Code): State | undefined {
      const afterWord = /[A-Za-z0-9]/.test(character(before));
      if (afterWord || insideLabel(self.events)) return nok(code);
      effects.enter("literalAutolink");
      effects.enter(type);
      return prefix(code);
    }

    function prefix(code: Code): State | undefined {
      const wanted = character(code).toLowerCase();
      prefixes = prefixes.filter((candidate) => candidate[taken] === wanted);
      if (prefixes.length === 0) return nok(code);
      effects.consume(code);
      taken += 1;
      return prefixes.some((candidate) => candidate.length === taken) ? host : prefix;
    }

    function host(code: Code): State | undefined {
      return /[\p{L}\p{N}]/u.test(character(code)) ? rest(code) : nok(code);
    }

    function rest(code: Code): State | undefined {
      if (ends(code)) return done(code);
      if (code === 40) brackets += 1;
      if (code === 41) brackets -= 1;
      if (inside === 0 && (TRAILING.test(character(code)) || brackets < 0)) {
        return effects.check(trail, done, take)(code);
      }
      return take(code);
    }

    function take(code: Code): State | undefined {
      inside = Math.max(0, inside - 1);
      effects.consume(code);
      return rest;
    }

    function done(code: Code): State | undefined {
      effects.exit(type);
      effects.exit("literalAutolink");
      return ok(code);
    }
  };
}

/** Inside `[…` an address is the text of a link, not one by itself. */
function insideLabel(events: readonly Event[]): boolean {
  for (let index = events.length - 1; index >= 0; index--) {
    const token = events[index]?.[1];
    // Where an address was taken before, there was no open label.
    if (token?.type === "literalAutolink") return false;
    if ((token?.type === "labelLink" || token?.type === "labelImage") && !token._balanced)
      return true;
  }
  return false;
}

/** The syntax, for `extensions`; goes before GitHub's own. */
export function bareUrls(): Extension {
  const http: Construct = { name: "bareUrl", tokenize: tokenizer("literalAutolinkHttp") };
  const www: Construct = { name: "bareUrl", tokenize: tokenizer("literalAutolinkWww") };
  return { text: { 72: http, 104: http, 87: www, 119: www } };
}
