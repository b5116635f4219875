/** A formula: its source until KaTeX is there, and for good where KaTeX cannot read it. */
import { lazy, memo, Suspense } from "react";

export interface FormulaProps {
  value: string;
  display: boolean;
}

const Katex = lazy(() => import("./Katex").catch(() => ({ default: FormulaSource })));

export const FormulaView = memo(function FormulaView(props: FormulaProps) {
  return (
    <Suspense fallback={<FormulaSource {...props} />}>
      <Katex {...props} />
    </Suspense>
  );
});

export function FormulaSource({ value, display }: FormulaProps) {
  return <code className={display ? "md-formula md-formula-display" : "md-formula"}>{value}</code>;
}
