/** HTML made inert, and data frames drawn as our own tables; in a chunk of its own with DOMPurify. */
import { type ReactNode, useLayoutEffect, useMemo, useRef } from "react";
import { useWords } from "../i18n";
import { DataFrameTable } from "./DataFrameTable";
import { readDataFrame } from "./dataframe";
import { Fold } from "./Fold";
import { sanitize } from "./sanitize";

interface Props {
  shown: { kind: "table" | "html"; html: string };
  fold: string;
  /** Shown when nothing is left of the HTML. */
  children: ReactNode;
}

export default function HtmlOutput({ shown, fold, children }: Props) {
  const words = useWords().outputs;
  const { html, kind } = shown;
  const table = useMemo(
    () => (kind === "table" ? readDataFrame(sanitize(html)) : null),
    [kind, html],
  );
  const empty = useMemo(() => table === null && isEmpty(sanitize(html)), [table, html]);
  if (empty) return children;
  if (table !== null) return <DataFrameTable table={table} fold={fold} />;
  return (
    <Fold id={fold} label={words.html}>
      <Inert html={html} />
    </Fold>
  );
}

function Inert({ html }: { html: string }) {
  const node = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    node.current?.replaceChildren(sanitize(html));
  }, [html]);
  return <div ref={node} className="output-html" />;
}

function isEmpty(fragment: DocumentFragment): boolean {
  return (fragment.textContent ?? "").trim() === "" && fragment.querySelector("img, hr") === null;
}
