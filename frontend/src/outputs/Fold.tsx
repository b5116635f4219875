/**
 * Holds an output to a height that lets one read on: what is taller scrolls, stays at its end while
 * it grows, and can be opened whole.
 */
import { type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from "react";
import { useWords } from "../i18n";
import { useFold } from "./folds";

const LIMIT_PX = 320;
/** So little more is not worth a button. */
const SLACK_PX = 32;
const NEAR_END_PX = 24;

interface Props {
  /** Names the output among all of the page. */
  id: string;
  /** What is inside, for those who hear the page. */
  label: string;
  /** Stay at the end while more comes. */
  follow?: boolean;
  children: ReactNode;
}

export function Fold({ id, label, follow = false, children }: Props) {
  const words = useWords().outputs;
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useFold(id);
  const { tall, wide } = useExtent(box, follow && !open);
  const clipped = tall && !open;
  return (
    <div className="output-fold">
      <div
        ref={box}
        className="output-scroll"
        {...((clipped || wide) && { tabIndex: 0, role: "region", "aria-label": label })}
        {...(clipped && { style: { maxHeight: LIMIT_PX } })}
      >
        <div className="output-content">{children}</div>
      </div>
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

interface Extent {
  tall: boolean;
  wide: boolean;
}

function useExtent(ref: RefObject<HTMLDivElement | null>, follow: boolean): Extent {
  const atEnd = useRef(true);
  const [extent, setExtent] = useState<Extent>({ tall: false, wide: false });
  useLayoutEffect(() => {
    const box = ref.current;
    const content = box?.firstElementChild;
    if (!box || !content || typeof ResizeObserver === "undefined") return undefined;
    const measure = () => {
      const tall = content.scrollHeight > LIMIT_PX + SLACK_PX;
      const wide = box.scrollWidth > box.clientWidth + 1;
      setExtent((last) => (last.tall === tall && last.wide === wide ? last : { tall, wide }));
      if (follow && atEnd.current) box.scrollTop = box.scrollHeight;
    };
    const note = () => {
      atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    observer.observe(content);
    box.addEventListener("scroll", note, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", note);
    };
  }, [ref, follow]);
  return extent;
}
