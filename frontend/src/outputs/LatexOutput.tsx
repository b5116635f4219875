/** LaTeX of an output: one formula, or text with formulas in it. */
import { FormulaView } from "../render/markdown/Formula";
import { Markdown } from "../render/markdown/Markdown";

export function LatexOutput({ text }: { text: string }) {
  const formula = soleFormula(text.trim());
  if (formula === null) return <Markdown text={text} />;
  return (
    <div className="output-latex">
      <FormulaView value={formula} display />
    </div>
  );
}

/** What is between the delimiters when there is one pair around everything. */
export function soleFormula(text: string): string | null {
  if (text.startsWith("\\begin{")) return text;
  const found =
    /^\$\$([^$]+)\$\$$/.exec(text) ??
    /^\$([^$]+)\$$/.exec(text) ??
    /^\\\[([\s\S]+)\\\]$/.exec(text);
  return found?.[1]?.trim() ?? null;
}
