/**
 * Colours for languages that have no parser here, by their comments, strings, numbers and words.
 * One table row a language; what has no row stays plain.
 */
import type { CodeLine, Token } from "./python";

interface Look {
  /** What begins a comment up to the end of the line. */
  line: string;
  /** A comment over several lines. */
  block?: readonly [string, string];
  /** What a string stands between; those in `long` may go over lines. */
  quotes: string;
  long?: string;
  keywords: string;
}

const C_LIKE = { line: "//", block: ["/*", "*/"], quotes: `"'` } as const;
const SCRIPT: Look = {
  ...C_LIKE,
  quotes: "\"'`",
  long: "`",
  keywords:
    "abstract as async await break case catch class const continue debugger declare default delete do else enum export extends finally for from function if implements import in instanceof interface let new of private protected public readonly return satisfies static super switch this throw try type typeof var void while yield",
};
const BASH: Look = {
  line: "#",
  quotes: `"'`,
  long: `"'`,
  keywords:
    "case do done elif else esac fi for function if in select then until while time export local readonly declare return break continue shift source alias unset set",
};
const LOOKS = new Map<string, Look>(
  Object.entries({
    bash: BASH,
    javascript: SCRIPT,
    typescript: SCRIPT,
    r: {
      line: "#",
      quotes: "\"'`",
      long: `"'`,
      keywords: "if else repeat while function for in next break library require return",
    },
    julia: {
      line: "#",
      block: ["#=", "=#"],
      quotes: `"`,
      long: `"`,
      keywords:
        "abstract begin break catch const continue do else elseif end export finally for function global if import in let local macro module mutable primitive quote return struct try type using where while",
    },
    sql: {
      line: "--",
      block: ["/*", "*/"],
      quotes: `"'`,
      keywords:
        "select from where group by order having limit offset join left right inner outer full on as and or not in is like between union all distinct insert into values update set delete create table view index drop alter with case when then else end",
    },
    ruby: {
      line: "#",
      quotes: "\"'`",
      keywords:
        "alias and begin break case class def do else elsif end ensure for if in module next not or redo rescue retry return self super then undef unless until when while yield require",
    },
    go: {
      ...C_LIKE,
      quotes: "\"'`",
      long: "`",
      keywords:
        "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var",
    },
    rust: {
      ...C_LIKE,
      quotes: `"`,
      long: `"`,
      keywords:
        "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub ref return self static struct super trait type unsafe use where while",
    },
    "c++": {
      ...C_LIKE,
      keywords:
        "auto bool break case catch char class const constexpr continue default delete do double else enum explicit float for friend goto if inline int long namespace new noexcept operator private protected public return short signed sizeof static struct switch template this throw try typedef typename union unsigned using virtual void while",
    },
  }),
);
const SAME = new Map(
  Object.entries({
    sh: "bash",
    shell: "bash",
    zsh: "bash",
    js: "javascript",
    jsx: "javascript",
    ts: "typescript",
    tsx: "typescript",
    jl: "julia",
    rb: "ruby",
    rs: "rust",
    golang: "go",
    cpp: "c++",
    "c++17": "c++",
    "c++20": "c++",
    c: "c++",
  }),
);
const VALUES = /^(true|false|null|undefined|none|nothing|nil|na|nan|inf|NULL|TRUE|FALSE)$/i;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const NUMBER = /\d[\w.]*/y;

/** Whether there are colours for a language, by any of its names. */
export function lookOf(language: string): Look | undefined {
  const name = language.toLowerCase();
  return LOOKS.get(SAME.get(name) ?? name);
}

/** The lines of `code`. A string or comment that nobody closed ends with the code. */
export function coloured(code: string, look: Look): CodeLine[] {
  const keywords = new Set(look.keywords.split(" "));
  const sql = look === LOOKS.get("sql");
  const lines: Token[][] = [[]];
  const add = (text: string, className: string) =>
    text.split("\n").forEach((part, index) => {
      if (index > 0) lines.push([]);
      const line = lines.at(-1);
      const last = line?.at(-1);
      if (part === "" || line === undefined) return;
      if (className === "" && last?.className === "") {
        line[line.length - 1] = { text: last.text + part, className };
      } else line.push({ text: part, className });
    });
  let at = 0;
  while (at < code.length) {
    const [end, className] = next(code, at, look, (word) =>
      keywords.has(sql ? word.toLowerCase() : word),
    );
    add(code.slice(at, end), className);
    at = end;
  }
  return lines;
}

/** Where the piece that begins at `at` ends, and its class. */
function next(
  code: string,
  at: number,
  look: Look,
  isKeyword: (word: string) => boolean,
): readonly [number, string] {
  if (look.block && code.startsWith(look.block[0], at)) {
    const end = code.indexOf(look.block[1], at + look.block[0].length);
    return [end < 0 ? code.length : end + look.block[1].length, "syn-comment"];
  }
  const before = at === 0 ? "\n" : (code[at - 1] ?? "");
  if (code.startsWith(look.line, at) && (look.line !== "#" || /[\s;(]/.test(before))) {
    const end = code.indexOf("\n", at);
    return [end < 0 ? code.length : end, "syn-comment"];
  }
  const first = code[at] ?? "";
  if (look.quotes.includes(first)) {
    return [stringEnd(code, at, look.long?.includes(first) === true), "syn-string"];
  }
  WORD.lastIndex = at;
  const word = WORD.exec(code)?.[0];
  if (word !== undefined) {
    const end = at + word.length;
    if (isKeyword(word)) return [end, "syn-keyword"];
    if (VALUES.test(word)) return [end, "syn-number"];
    return [
      end,
      code[end] === "(" ? "syn-function" : first === "$" && word.length > 1 ? "syn-variable" : "",
    ];
  }
  NUMBER.lastIndex = at;
  const number = NUMBER.exec(code)?.[0];
  if (number !== undefined) return [at + number.length, "syn-number"];
  return [at + String.fromCodePoint(code.codePointAt(at) ?? 0).length, ""];
}

interface Open {
  /** What closes the string or comment that a line before left open. */
  until: string;
  kind: string;
}

interface Stream {
  readonly string: string;
  pos: number;
}

/** The same for an editor, which reads line by line: names of tags instead of classes. */
export function lineReader(look: Look) {
  const keywords = new Set(look.keywords.split(" "));
  return {
    startState: (): Open => ({ until: "", kind: "" }),
    copyState: (state: Open): Open => ({ ...state }),
    token(stream: Stream, state: Open): string | null {
      const { string: line, pos } = stream;
      if (state.until !== "") {
        const end = line.indexOf(state.until, pos);
        stream.pos = end < 0 ? line.length : end + state.until.length;
        const { kind } = state;
        if (end >= 0) state.until = "";
        return kind;
      }
      const [end, className] = next(line, pos, look, (word) => keywords.has(word));
      stream.pos = end;
      const kind = TAGS[className] ?? null;
      if (end === line.length && kind !== null) {
        state.until = openAfter(line.slice(pos), look);
        state.kind = kind;
      }
      return kind;
    },
  };
}

const TAGS: Record<string, string> = {
  "syn-comment": "comment",
  "syn-string": "string",
  "syn-keyword": "keyword",
  "syn-number": "number",
  "syn-variable": "variableName",
};

/** What has to come to close the last piece of a line; nothing where it is closed. */
function openAfter(piece: string, { block, long = "" }: Look): string {
  if (block && piece.startsWith(block[0])) {
    return piece.length >= block[0].length + block[1].length && piece.endsWith(block[1])
      ? ""
      : block[1];
  }
  const quote = piece[0] ?? "";
  if (quote === "" || !long.includes(quote)) return "";
  return stringEnd(`${piece} `, 0, true) <= piece.length ? "" : quote;
}

function stringEnd(code: string, at: number, overLines: boolean): number {
  const quote = code[at];
  for (let end = at + 1; end < code.length; end++) {
    if (code[end] === "\\") end++;
    else if (code[end] === quote) return end + 1;
    else if (code[end] === "\n" && !overLines) return end;
  }
  return code.length;
}
