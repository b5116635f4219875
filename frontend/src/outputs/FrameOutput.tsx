/**
 * HTML that brings its own style, such as a styled table: in a frame the server serves under a
 * policy of its own. The frame runs no script and has no origin.
 */
import { useEffect, useRef, useState } from "react";
import { useWords } from "../i18n";
import { frameUrl } from "../lib/api";
import { measureHtml } from "./measure";
import { useFold } from "./folds";
import type { Place } from "./OutputView";

interface Props {
  html: string;
  place: Place;
  fold: string;
}

const FOLDED_PX = 480;
/** So little more is not worth a button. */
const SLACK_PX = 48;

export default function FrameOutput({ html, place, fold }: Props) {
  const words = useWords().outputs;
  const [open, setOpen] = useFold(fold);
  const box = useRef<HTMLDivElement>(null);
  const whole = useHeight(box, html);
  const tall = whole > FOLDED_PX + SLACK_PX;
  return (
    <div ref={box}>
      <iframe
        // Another content at the same address is loaded anew.
        key={html}
        className="output-frame"
        sandbox=""
        loading="lazy"
        referrerPolicy="no-referrer"
        title={words.html}
        src={frameUrl(place.conversationId, place.cellId, place.index)}
        height={tall && !open ? FOLDED_PX : whole}
      />
      {tall && (
        <button
          type="button"
          className="output-button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? words.showLess : words.showAll}
        </button>
      )}
    </div>
  );
}

/** Of what is in the frame, in pixels; measured again as the frame gets wider or narrower. */
function useHeight(box: React.RefObject<HTMLDivElement | null>, html: string): number {
  const [height, setHeight] = useState(FOLDED_PX);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let width = 0;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width || element.clientWidth === 0) return;
      width = element.clientWidth;
      setHeight(measureHtml(html, width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, html]);
  return height;
}
