/** Files can be dropped anywhere on the window; while they hover, it says what will happen. */
import { FileInput, FileUp } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { carriesFiles } from "./drop";
import { useDropped } from "./useDropped";

interface Props {
  onFiles: (files: File[]) => void;
  /** Dropped on a place that takes notebooks. */
  onNotebooks: (files: File[]) => void;
}

/** Where the pointer is with its files. */
type Over = "page" | "notebooks";

export function DropOverlay({ onFiles, onNotebooks }: Props) {
  const words = useWords();
  const over = useWindowDrop(useDropped(onFiles), useDropped(onNotebooks));
  if (over === undefined) return null;
  const [Icon, title, hint] =
    over === "page"
      ? [FileUp, words.files.dropAnywhere, words.files.dropHint]
      : [FileInput, words.notebook.drop, words.notebook.dropHint];
  return (
    <div className="overlay pointer-events-none fixed inset-0 z-40 flex items-center justify-center bg-(--bg-scrim) p-4">
      <div className="appear flex flex-col items-center gap-2 rounded-xl border-2 border-dashed border-accent bg-raised px-10 py-8 text-center shadow-l">
        <Icon size={30} className="text-accent" aria-hidden />
        <p className="font-medium">{title}</p>
        <p className="text-sm text-muted">{hint}</p>
      </div>
    </div>
  );
}

function placeOf(event: DragEvent): Over {
  const { target } = event;
  return target instanceof Element && target.closest("[data-drop=notebooks]")
    ? "notebooks"
    : "page";
}

type Take = (transfer: DataTransfer) => void;

function useWindowDrop(onPage: Take, onNotebooks: Take): Over | undefined {
  const [over, setOver] = useState<Over>();
  useEffect(() => {
    // Entering a child leaves its parent: only the balance says whether the pointer is inside.
    let inside = 0;
    // A figure dragged within the page looks like a file, and is none.
    let own = false;
    const brings = (event: DragEvent) => !own && carriesFiles(event.dataTransfer);
    const enter = (event: DragEvent) => {
      if (!brings(event)) return;
      inside += 1;
      setOver(placeOf(event));
    };
    const leave = () => {
      inside = Math.max(0, inside - 1);
      if (inside === 0) setOver(undefined);
    };
    const hover = (event: DragEvent) => {
      if (brings(event)) event.preventDefault();
    };
    const end = () => {
      inside = 0;
      setOver(undefined);
    };
    const drop = (event: DragEvent) => {
      if (!brings(event) || event.dataTransfer === null) return;
      event.preventDefault();
      (placeOf(event) === "page" ? onPage : onNotebooks)(event.dataTransfer);
    };
    const starts = () => {
      own = true;
    };
    const ends = () => {
      own = false;
    };
    const stop = new AbortController();
    const { signal } = stop;
    window.addEventListener("dragstart", starts, { signal });
    window.addEventListener("dragend", ends, { signal });
    window.addEventListener("dragenter", enter, { signal });
    window.addEventListener("dragleave", leave, { signal });
    window.addEventListener("dragover", hover, { signal });
    window.addEventListener("drop", end, { signal, capture: true });
    window.addEventListener("drop", drop, { signal });
    return () => stop.abort();
  }, [onPage, onNotebooks]);
  return over;
}
