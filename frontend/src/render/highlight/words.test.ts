import { describe, expect, test } from "vitest";
import type { CodeLine } from "./python";
import { coloured, lineReader, lookOf } from "./words";

function tokens(code: string, language: string): CodeLine[] {
  const look = lookOf(language);
  if (look === undefined) throw new Error("no such language");
  return coloured(code, look);
}

function marked(code: string, language: string): string[] {
  return tokens(code, language)
    .flat()
    .filter((token) => token.className !== "")
    .map((token) => `${token.className.slice(4)}:${token.text}`);
}

describe("a language without a parser", () => {
  test.each([
    [
      "bash",
      'for x in $A; do echo "$x" # c\ndone',
      [
        "keyword:for",
        "keyword:in",
        "variable:$A",
        "keyword:do",
        'string:"$x"',
        "comment:# c",
        "keyword:done",
      ],
    ],
    ["bash", "echo ${#A} a#b", []],
    [
      "TypeScript",
      "const x: number = f(1.5) // c",
      ["keyword:const", "function:f", "number:1.5", "comment:// c"],
    ],
    ["js", "`a\n${b}` + null", ["string:`a", "string:${b}`", "number:null"]],
    ["r", "f <- function(x) TRUE # c", ["keyword:function", "number:TRUE", "comment:# c"]],
    [
      "SQL",
      "SELECT 'a' FROM t -- c",
      ["keyword:SELECT", "string:'a'", "keyword:FROM", "comment:-- c"],
    ],
    ["c++", "/* a\nb */ int x;", ["comment:/* a", "comment:b */", "keyword:int"]],
  ])("%s has its words coloured: %s", (language, code, expected) => {
    expect(marked(code, language)).toEqual(expected);
  });

  test.each(["'open", "/* open", '"a\\', "😀 // ü", "a\n\n\n", ""])(
    "loses nothing of %j",
    (code) => {
      for (const language of ["bash", "typescript", "julia", "rust", "go", "ruby"]) {
        const text = tokens(code, language)
          .map((line) => line.map((token) => token.text).join(""))
          .join("\n");
        expect(text).toBe(code);
      }
    },
  );

  test("is read line by line as it is read whole", () => {
    const code = "const a = `x\ny` + 'z' /* c\nd */ + 1";
    const look = lookOf("ts");
    if (look === undefined) throw new Error("no such language");
    const reader = lineReader(look);
    const state = reader.startState();
    const found: string[] = [];
    for (const line of code.split("\n")) {
      const stream = { string: line, pos: 0 };
      while (stream.pos < line.length) {
        const from = stream.pos;
        const kind = reader.token(stream, state);
        if (kind !== null) found.push(`${kind}:${line.slice(from, stream.pos)}`);
      }
    }
    expect(found).toEqual(marked(code, "ts"));
  });

  test("a language nobody knows has none", () => {
    expect(lookOf("klingon")).toBeUndefined();
    expect(lookOf("constructor")).toBeUndefined();
  });
});
