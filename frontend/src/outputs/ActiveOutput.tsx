/**
 * HTML that brings scripts. They run only after the person said so, in a frame that has no origin:
 * it reaches neither the page nor any server. What it says of its height is believed within bounds.
 */
import { Play } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { create } from "zustand";
import { useWords } from "../i18n";
import { frameUrl } from "../lib/api";
import { Button } from "../ui/Button";
import type { Place } from "./OutputView";

interface Props {
  html: string;
  place: Place;
  fold: string;
  /** Its text, shown as long as nothing runs. */
  children: ReactNode;
}

const FIRST_PX = 240;
const LEAST_PX = 40;
const TALLEST_PX = 1_200;

/** What was allowed to run, by place; another content in the same place has to be allowed anew. */
const useAllowed = create<{ html: ReadonlyMap<string, string> }>(() => ({ html: new Map() }));

function allow(fold: string, html: string | null): void {
  useAllowed.setState(({ html: last }) => {
    const next = new Map(last);
    if (html === null) next.delete(fold);
    else next.set(fold, html);
    return { html: next };
  });
}

export function ActiveOutput({ html, place, fold, children }: Props) {
  const words = useWords().outputs;
  const running = useAllowed((allowed) => allowed.html.get(fold) === html);
  if (running) {
    return (
      <div>
        <RunningFrame key={html} place={place} />
        <p className="output-note">
          {words.activeRuns}{" "}
          <button type="button" className="output-button" onClick={() => allow(fold, null)}>
            {words.activeStop}
          </button>
        </p>
      </div>
    );
  }
  return (
    <div>
      {children}
      <div className="output-active">
        <p>{words.activeWaits}</p>
        <Button onClick={() => allow(fold, html)}>
          <Play size={15} aria-hidden />
          {words.activeRun}
        </Button>
      </div>
    </div>
  );
}

function RunningFrame({ place }: { place: Place }) {
  const words = useWords().outputs;
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(FIRST_PX);
  useEffect(() => {
    const hear = (event: MessageEvent<unknown>) => {
      if (frame.current === null || event.source !== frame.current.contentWindow) return;
      const told = toldHeight(event.data);
      if (told !== null) setHeight(told);
    };
    addEventListener("message", hear);
    return () => removeEventListener("message", hear);
  }, []);
  return (
    <iframe
      ref={frame}
      className="output-frame"
      sandbox="allow-scripts"
      referrerPolicy="no-referrer"
      title={words.interactive}
      src={`${frameUrl(place.conversationId, place.cellId, place.index)}?run=1`}
      height={height}
    />
  );
}

function toldHeight(data: unknown): number | null {
  if (typeof data !== "object" || data === null || !("frameHeight" in data)) return null;
  const { frameHeight } = data;
  if (typeof frameHeight !== "number" || !Number.isFinite(frameHeight)) return null;
  return Math.min(Math.max(Math.ceil(frameHeight) + 2, LEAST_PX), TALLEST_PX);
}
