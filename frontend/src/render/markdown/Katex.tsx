/** Typeset formulas; in a chunk of its own with KaTeX and its style sheet. */
import katex, { type KatexOptions } from "katex";
import "katex/dist/katex.min.css";
import { useLayoutEffect, useMemo, useRef } from "react";
import { useOverflow } from "../useOverflow";
import { type FormulaProps, FormulaSource } from "./Formula";

const OPTIONS: KatexOptions = {
  throwOnError: true,
  strict: "ignore",
  // No \href, no \includegraphics: a formula loads nothing and leads nowhere.
  trust: false,
  maxSize: 40,
  maxExpand: 1000,
};

export default function Katex({ value, display }: FormulaProps) {
  const place = useRef<HTMLSpanElement>(null);
  const drawn = useMemo(() => typeset(value, display), [value, display]);
  useLayoutEffect(() => {
    if (drawn !== null) place.current?.replaceChildren(drawn);
  }, [drawn]);
  const scrolls = useOverflow(place);
  if (drawn === null) return <FormulaSource value={value} display={display} />;
  return (
    <span
      ref={place}
      className={display ? "md-katex md-katex-display" : "md-katex"}
      {...(display && scrolls && { tabIndex: 0 })}
    />
  );
}

/** Into a node, not as a string: KaTeX sets styles that the page's policy would refuse in HTML. */
function typeset(value: string, display: boolean): HTMLElement | null {
  const node = document.createElement("span");
  try {
    katex.render(value, node, { ...OPTIONS, displayMode: display });
    return node;
  } catch {
    return null;
  }
}
