/**
 * Terminal text as it would look in one, with at most the last lines of it on the page. Lines of a
 * printed table stick out to the right: what holds the text lets it be scrolled to.
 */
import { type CSSProperties, memo, useState } from "react";
import { useWords } from "../../i18n";
import { groups, sameLines } from "../lineGroups";
import { type Colour, PLAIN, type Style } from "./sgr";
import { type Line, Terminal } from "./terminal";
import "./ansi.css";

/** Lines on the page at first, and how many more come with each click. */
export const MOUNTED_LINES = 2_000;
/** Characters of one line kept on the page. */
export const MOUNTED_CHARACTERS = 20_000;
/** Longer lines break; shorter ones, such as printed tables, are scrolled to. */
const BREAKS_FROM = 240;

export function AnsiText({ text }: { text: string }) {
  const words = useWords();
  const lines = useLines(text);
  const [mounted, setMounted] = useState(MOUNTED_LINES);
  const first = Math.max(0, lines.length - mounted);
  return (
    <div className="ansi">
      {first > 0 && (
        <button
          type="button"
          className="ansi-note ansi-earlier"
          onClick={() => setMounted(mounted + MOUNTED_LINES)}
        >
          {words.render.earlierLines(Math.min(first, MOUNTED_LINES))}
        </button>
      )}
      <pre className="ansi-text">
        <code>
          {groups(lines, first).map((group) => (
            <Lines key={group.start} lines={group.lines} />
          ))}
        </code>
      </pre>
    </div>
  );
}

/** The terminal is kept while the text only grows. */
function useLines(text: string): readonly Line[] {
  const [held] = useState(() => ({ terminal: new Terminal() }));
  if (!held.terminal.show(text)) {
    held.terminal = new Terminal();
    held.terminal.show(text);
  }
  const lines = held.terminal.lines;
  return lines.at(-1)?.length === 0 ? lines.slice(0, -1) : lines;
}

const Lines = memo(
  ({ lines }: { lines: readonly Line[] }) => (
    <span className="ansi-lines">
      {lines.map((line, index) => (
        // A line has no other name than its number.
        // oxlint-disable-next-line react/no-array-index-key
        <LineView key={index} line={line} />
      ))}
    </span>
  ),
  sameLines,
);

const LineView = memo(function LineView({ line }: { line: Line }) {
  const words = useWords();
  const length = line.reduce((sum, run) => sum + run.text.length, 0);
  const { runs, left } = length > MOUNTED_CHARACTERS ? shortened(line) : { runs: line, left: 0 };
  const drawn = runs.map((run, index) => {
    if (run.style === PLAIN) return run.text;
    return (
      // oxlint-disable-next-line react/no-array-index-key
      <span key={index} {...looks(run.style)}>
        {run.text}
      </span>
    );
  });
  return (
    <>
      {length > BREAKS_FROM ? <span className="ansi-long">{drawn}</span> : drawn}
      {left > 0 && <span className="ansi-note">{words.render.longLine(left)}</span>}
      {"\n"}
    </>
  );
});

function shortened(line: Line): { runs: Line; left: number } {
  let room = MOUNTED_CHARACTERS;
  let left = 0;
  const runs = line.flatMap((run) => {
    const text = run.text.slice(0, room).replace(/[\ud800-\udbff]$/, "");
    left += run.text.length - Math.min(run.text.length, room);
    room -= Math.min(run.text.length, room);
    return text === "" ? [] : [{ text, style: run.style }];
  });
  return { runs, left };
}

function looks(style: Style): { className: string; style?: CSSProperties } {
  const [fg, bg] = style.inverse ? [style.bg, style.fg] : [style.fg, style.bg];
  const names = [
    colourName(fg, style.inverse, "fg"),
    colourName(bg, style.inverse, "bg"),
    style.bold && "ansi-bold",
    style.dim && "ansi-dim",
    style.italic && "ansi-italic",
    style.underline && "ansi-underline",
    style.strike && "ansi-strike",
  ].filter((name) => typeof name === "string");
  // React's style type does not know custom properties.
  const own = {
    ...(typeof fg === "string" && { "--ansi-fg": fg }),
    ...(typeof bg === "string" && { "--ansi-bg": bg }),
  } as CSSProperties;
  const className = names.join(" ");
  return Object.keys(own).length > 0 ? { className, style: own } : { className };
}

function colourName(colour: Colour, inverse: boolean, side: "fg" | "bg"): string | null {
  if (typeof colour === "number") return `ansi-${side}-${colour}`;
  if (typeof colour === "string") return `ansi-${side}-own`;
  return inverse ? `ansi-${side}-inverse` : null;
}
