import { describe, expect, test } from "vitest";
import { type CodeLine, PythonHighlighter } from "./python";

const CODE = `import pandas as pd

@cached
def load(path: str = "a.csv") -> pd.DataFrame:
    """Read the file.

    def not_code(): 1
    """
    df = pd.read_csv(path, parse_dates=['date'])  # 注释
    if df is None and len(df) > 1_000.5e3:
        raise ValueError(f"bad {path!r} 😀")
    return df.assign(x=lambda row: row["a"] ** 2)

class Model(Base):
    pass

%matplotlib inline
!pip list
x = (1,
`.repeat(4);

function whole(code: string): readonly CodeLine[] {
  return new PythonHighlighter().update(code, true);
}

function text(lines: readonly CodeLine[]): string {
  return lines.map((line) => line.map((token) => token.text).join("")).join("\n");
}

describe("Python", () => {
  test("has its words, texts, numbers, names and comments coloured", () => {
    const [line] = whole('def f(x): return "s" + str(1)  # c');
    expect(line?.filter((token) => token.className !== "")).toEqual([
      { text: "def", className: "syn-keyword" },
      { text: "f", className: "syn-function" },
      { text: "x", className: "syn-variable" },
      { text: "return", className: "syn-keyword" },
      { text: '"s"', className: "syn-string" },
      { text: "+", className: "syn-operator" },
      { text: "str", className: "syn-function" },
      { text: "1", className: "syn-number" },
      { text: "# c", className: "syn-comment" },
    ]);
  });

  test.each([2, 7, 50])(
    "that grows in steps of %i keeps its text and ends as if read whole",
    (step) => {
      const highlighter = new PythonHighlighter();
      for (let end = step; end < CODE.length; end += step) {
        const lines = highlighter.update(CODE.slice(0, end), false);
        if (end % 11 === 0) expect(text(lines)).toBe(CODE.slice(0, end));
      }
      expect(highlighter.update(CODE, true)).toEqual(whole(CODE));
    },
  );

  test("keeps the lines that did not change", () => {
    const highlighter = new PythonHighlighter();
    const before = highlighter.update("a = 1\nb = 2\nc", false);
    const after = highlighter.update("a = 1\nb = 2\nc = 3\n", false);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after).toHaveLength(4);
  });

  test("starts anew for another code", () => {
    const highlighter = new PythonHighlighter();
    highlighter.update("a = 1\nb", false);
    expect(highlighter.update("x", true)).toEqual(whole("x"));
    expect(highlighter.update("", true)).toEqual([[]]);
  });
});
