/** Files can be dropped anywhere on the window; while they hover, it says what will happen. */
import { FileUp } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { carriesFiles } from "./drop";
import { useDropped } from "./useDropped";

export function DropOverlay({ onFiles }: { onFiles: (files: File[]) => void }) {
  const words = useWords();
  const hovering = useWindowDrop(useDropped(onFiles));
  if (!hovering) return null;
  return (
    <div className="overlay pointer-events-none fixed inset-0 z-40 flex items-center justify-center bg-(--bg-scrim) p-4">
      <div className="appear flex flex-col items-center gap-2 rounded-xl border-2 border-dashed border-accent bg-raised px-10 py-8 text-center shadow-l">
        <FileUp size={30} className="text-accent" aria-hidden />
        <p className="font-medium">{words.files.dropAnywhere}</p>
        <p className="text-sm text-muted">{words.files.dropHint}</p>
      </div>
    </div>
  );
}

function useWindowDrop(onDrop: (transfer: DataTransfer) => void): boolean {
  const [hovering, setHovering] = useState(false);
  useEffect(() => {
    // Entering a child leaves its parent: only the balance says whether the pointer is inside.
    let inside = 0;
    // A figure dragged within the page looks like a file, and is none.
    let own = false;
    const brings = (event: DragEvent) => !own && carriesFiles(event.dataTransfer);
    const enter = (event: DragEvent) => {
      if (!brings(event)) return;
      inside += 1;
      setHovering(true);
    };
    const leave = () => {
      inside = Math.max(0, inside - 1);
      if (inside === 0) setHovering(false);
    };
    const over = (event: DragEvent) => {
      if (brings(event)) event.preventDefault();
    };
    const end = () => {
      inside = 0;
      setHovering(false);
    };
    const drop = (event: DragEvent) => {
      if (!brings(event) || event.dataTransfer === null) return;
      event.preventDefault();
      onDrop(event.dataTransfer);
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
    window.addEventListener("dragover", over, { signal });
    window.addEventListener("drop", end, { signal, capture: true });
    window.addEventListener("drop", drop, { signal });
    return () => stop.abort();
  }, [onDrop]);
  return hovering;
}
