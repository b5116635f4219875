/** Highlighted Python; in a chunk of its own with the parser. */
import { memo, useState } from "react";
import { groups, sameLines } from "../lineGroups";
import { type CodeLine, PythonHighlighter } from "./python";

interface Props {
  code: string;
  streaming: boolean;
}

export default function PythonCode({ code, streaming }: Props) {
  const [highlighter] = useState(() => new PythonHighlighter());
  const lines = highlighter.update(code, !streaming);
  return groups(lines).map((group) => <Lines key={group.start} lines={group.lines} />);
}

const Lines = memo(
  ({ lines }: { lines: readonly CodeLine[] }) => (
    <span className="code-lines">
      {lines.map((line, index) => (
        // A line has no other name than its number.
        // oxlint-disable-next-line react/no-array-index-key
        <Line key={index} line={line} />
      ))}
    </span>
  ),
  sameLines,
);

const Line = memo(({ line }: { line: CodeLine }) => (
  <>
    {line.map(({ text, className }, index) =>
      className === "" ? (
        text
      ) : (
        // oxlint-disable-next-line react/no-array-index-key
        <span key={index} className={className}>
          {text}
        </span>
      ),
    )}
    {"\n"}
  </>
));
