/** Coloured lines, in groups that are drawn again only where something in them changed. */
import { memo } from "react";
import { groups, sameLines } from "../lineGroups";
import type { CodeLine } from "./python";

export function CodeLines({ lines }: { lines: readonly CodeLine[] }) {
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
