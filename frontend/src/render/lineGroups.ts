/**
 * Lines in groups that are laid out by themselves: a long text that grows or changes at its end is
 * then neither compared nor laid out again from its start.
 */

export const GROUP_LINES = 50;

export interface LineGroup<Line> {
  /** The number of its first line, from 0. */
  start: number;
  lines: readonly Line[];
}

/** The lines from `first` on; groups start at the same lines whatever `first` is. */
export function groups<Line>(lines: readonly Line[], first = 0): LineGroup<Line>[] {
  const found: LineGroup<Line>[] = [];
  for (let start = first; start < lines.length; ) {
    const end = start - (start % GROUP_LINES) + GROUP_LINES;
    found.push({ start: start - (start % GROUP_LINES), lines: lines.slice(start, end) });
    start = end;
  }
  return found;
}

/** Whether two groups show the same lines; for `memo`. */
export function sameLines<Line>(
  last: { lines: readonly Line[] },
  next: { lines: readonly Line[] },
): boolean {
  return (
    last.lines.length === next.lines.length &&
    last.lines.every((line, index) => line === next.lines[index])
  );
}
