/** Code while a person edits it: the editor when it is there, a plain box until then. */
import { Play } from "lucide-react";
import { type ComponentType, lazy, Suspense } from "react";
import { useWords } from "../../i18n";
import { Button } from "../../ui/Button";
import { Kbd } from "../../ui/Kbd";
import type { EditorProps } from "./CodeEditor";

interface Props extends EditorProps {
  /** It is on its way. */
  busy: boolean;
}

/** Where the editor cannot be fetched, or until it is: all that is needed to change some code. */
function PlainEditor({ code, label, onChange, onRun, onLeave }: EditorProps) {
  return (
    <textarea
      value={code}
      aria-label={label}
      rows={Math.min(20, code.split("\n").length + 1)}
      spellCheck={false}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.preventDefault();
          onLeave();
        }
        if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          onRun();
        }
      }}
      className="block w-full resize-y bg-code px-3.5 py-3 font-mono text-base sm:text-[13px]"
    />
  );
}

const Editor = lazy<ComponentType<EditorProps>>(() =>
  import("./CodeEditor").catch(() => ({ default: PlainEditor })),
);

export function CellEditor({ busy, ...editor }: Props) {
  const words = useWords();
  return (
    <div className="border-t border-line bg-code">
      <Suspense fallback={<PlainEditor {...editor} />}>
        <Editor {...editor} />
      </Suspense>
      <div className="flex flex-wrap items-center justify-end gap-2 px-2.5 pb-2.5">
        <span className="mr-auto pl-1 text-xs text-faint max-sm:hidden">
          <Kbd keys="Shift+Enter" /> {words.cell.runKeys}
        </span>
        <Button small onClick={editor.onLeave}>
          {words.common.cancel}
        </Button>
        <Button small look="primary" disabled={busy} onClick={editor.onRun}>
          <Play size={14} aria-hidden />
          {words.cell.run}
        </Button>
      </div>
    </div>
  );
}
