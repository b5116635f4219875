import { describe, expect, test } from "vitest";
import { applySgr, PLAIN } from "./sgr";
import { Terminal } from "./terminal";

function shown(text: string): string {
  const terminal = new Terminal();
  terminal.show(text);
  return plain(terminal);
}

function plain(terminal: Terminal): string {
  return terminal.lines.map((line) => line.map((run) => run.text).join("")).join("\n");
}

describe("a terminal shows", () => {
  test.each([
    ["lines", "a\nb\n", "a\nb\n"],
    ["what a carriage return wrote over", " 10%|#   |\r 50%|##  |\r100%|####|\n", "100%|####|\n"],
    ["the rest of a longer line under a shorter one", "abcdef\rXY", "XYcdef"],
    ["Windows line ends as one", "a\r\nb", "a\nb"],
    ["backspaces", "abc\b\bX", "aXc"],
    ["no backspace before the line", "\b\bx", "x"],
    ["an erased line", "downloading 10%\r\u001b[Kdone", "done"],
    ["a line erased whole, the cursor where it was", "abc\u001b[2Kd", "   d"],
    ["a line erased from its start", "abcd\u001b[2D\u001b[1KX", "  Xd"],
    ["what was redrawn after going up", "a\nb\nc\n\u001b[2A\u001b[2KB\n", "a\nB\nc\n"],
    ["two bars kept on two lines", "one 1\ntwo 1\r\u001b[Aone 2\ntwo 2", "one 2\ntwo 2"],
    ["what was erased below", "a\nb\nc\u001b[2A\u001b[J", "a"],
    ["columns by number", "abc\u001b[1GX\u001b[5GY", "Xbc Y"],
    ["no row above the first", "a\u001b[99AX", "aX"],
    ["surrogate pairs whole", "😀😀b\rx", "x😀b"],
    ["Chinese text", "进度 10%\r进度 99%", "进度 99%"],
    [
      "the text of a link, not its address",
      "\u001b]8;;https://x.example\u0007link\u001b]8;;\u0007!",
      "link!",
    ],
    ["nothing of a clipboard write", "a\u001b]52;c;aGVsbG8=\u001b\\b", "ab"],
    ["nothing of a title", "\u001b]0;title\u0007x", "x"],
    [
      "nothing of device strings",
      "\u001bPq#0;1\u001b\\x\u001b_apc\u001b\\y\u001b^pm\u001b\\z",
      "xyz",
    ],
    [
      "nothing of modes and queries",
      "\u001b[?25l\u001b[6n\u001b[2J\u001b[Hx\u001b[?25h\u001b(B\u001b7",
      "x",
    ],
    ["a line behind an unended title", "\u001b]0;never ended\nnext", "\nnext"],
    ["no bells or nulls", "a\u0007\u0000\u009bb", "ab"],
  ])("%s", (_name, text, expected) => {
    expect(shown(text)).toBe(expected);
    for (const step of [1, 2, 3]) {
      const terminal = new Terminal();
      for (let end = step; end < text.length + step; end += step) terminal.show(text.slice(0, end));
      expect(plain(terminal)).toBe(expected);
    }
  });

  test("colours across a cut sequence", () => {
    const terminal = new Terminal();
    terminal.show("\u001b[1;3");
    expect(terminal.lines).toEqual([[]]);
    terminal.show("\u001b[1;31mred\u001b[0m plain");
    expect(terminal.lines).toEqual([
      [
        { text: "red", style: { ...PLAIN, bold: true, fg: 1 } },
        { text: " plain", style: PLAIN },
      ],
    ]);
  });

  test("lines that did not change as the same objects", () => {
    const terminal = new Terminal();
    terminal.show("one\ntwo");
    const before = [...terminal.lines];
    terminal.show("one\ntwo more\nthree");
    expect(terminal.lines[0]).toBe(before[0]);
    expect(before[1]).toEqual([{ text: "two", style: PLAIN }]);
    expect(terminal.lines[1]).toEqual([{ text: "two more", style: PLAIN }]);
  });

  test("another text only when it is asked anew", () => {
    const terminal = new Terminal();
    expect(terminal.show("abc")).toBe(true);
    expect(terminal.show("xyz")).toBe(false);
  });
});

describe("SGR", () => {
  test.each([
    ["31", { ...PLAIN, fg: 1 }],
    ["91;104", { ...PLAIN, fg: 9, bg: 12 }],
    ["38;5;208", { ...PLAIN, fg: "rgb(255,135,0)" }],
    ["48;5;244", { ...PLAIN, bg: "rgb(128,128,128)" }],
    ["38;5;3", { ...PLAIN, fg: 3 }],
    ["38;2;1;2;3;1", { ...PLAIN, fg: "rgb(1,2,3)", bold: true }],
    ["38:2::9:8:7", { ...PLAIN, fg: "rgb(9,8,7)" }],
    ["38;2;999;-1;x", { ...PLAIN, fg: "rgb(255,0,0)" }],
    [
      "1;2;3;4;7;9",
      {
        ...PLAIN,
        bold: true,
        dim: true,
        italic: true,
        underline: true,
        inverse: true,
        strike: true,
      },
    ],
    ["1;31;0", PLAIN],
    ["", PLAIN],
    ["73;999", PLAIN],
  ])("%s", (parameters, expected) => {
    expect(applySgr(PLAIN, parameters)).toEqual(expected);
  });
});
