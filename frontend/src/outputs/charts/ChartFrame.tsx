/**
 * The place of a chart: its height kept free, drawn when it is near and nobody scrolls past, its
 * tools, what was left out of it, and its data instead when it cannot be drawn.
 */
import { Download } from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { IconButton } from "../../ui/IconButton";
import { Menu, MenuItem } from "../../ui/Menu";
import { Fold } from "../Fold";
import { JsonOutput } from "../JsonOutput";

export type Format = "png" | "svg";
/** Drawing many values at once would hold the page. */
export const MANY_POINTS = 200_000;
const STILL_MS = 120;
const NEAR = "600px 0px";

interface Props {
  fold: string;
  /** The whole of what came, for the person who wants to see it. */
  json: unknown;
  /** Why it is not drawn. */
  failed: string | null;
  notes: readonly string[];
  onSave: (format: Format) => void;
  children: ReactNode;
}

export function ChartFrame({ fold, json, failed, notes, onSave, children }: Props) {
  const words = useWords().outputs;
  if (failed !== null) {
    return (
      <div>
        <p className="output-note">{words.chartFailed(failed)}</p>
        <Fold id={fold} label={words.json}>
          <JsonOutput value={json} />
        </Fold>
      </div>
    );
  }
  return (
    <div className="output-chart">
      {children}
      <div className="output-image-tools">
        <Menu
          trigger={
            <IconButton small label={words.saveChart}>
              <Download size={16} aria-hidden />
            </IconButton>
          }
        >
          <MenuItem onSelect={() => onSave("png")}>{words.saveAs("PNG")}</MenuItem>
          <MenuItem onSelect={() => onSave("svg")}>{words.saveAs("SVG")}</MenuItem>
        </Menu>
      </div>
      {notes.map((note) => (
        <p key={note} className="output-note">
          {note}
        </p>
      ))}
    </div>
  );
}

/** Whether an element is or was near the screen, and stayed there for a moment. */
export function useNear(ref: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (near || element === null) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        clearTimeout(timer);
        if (entries.at(-1)?.isIntersecting) timer = setTimeout(() => setNear(true), STILL_MS);
      },
      { rootMargin: NEAR },
    );
    observer.observe(element);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [ref, near]);
  return near;
}

/** A chart of very many values waits until it is asked for. */
export function ManyPoints({ points, onDraw }: { points: number; onDraw: () => void }) {
  const words = useWords();
  return (
    <p className="output-note">
      {words.outputs.manyPoints(points.toLocaleString(words.time.locale))}{" "}
      <button type="button" className="output-button" onClick={onDraw}>
        {words.outputs.drawAnyway}
      </button>
    </p>
  );
}
