/** The place below a cell where one of the person's own can be written. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { reportError } from "../../ui/report";
import { CellEditor } from "./CellEditor";

interface Props {
  conversationId: string;
  after: string;
  /** What the kernel runs, where that is not Python. */
  language: string | undefined;
  code: string | undefined;
  onChange: (code: string | undefined) => void;
}

export function AddCell({ conversationId, after, language, code, onChange }: Props) {
  const words = useWords();
  const [busy, setBusy] = useState(false);
  if (code === undefined) {
    return (
      <div className="add-cell -mb-3 flex h-6 items-center justify-center">
        <button
          type="button"
          onClick={() => onChange("")}
          className="inline-flex h-6 items-center gap-1 rounded-full border border-line bg-raised px-2.5 text-xs text-muted hover:bg-hover hover:text-fg"
        >
          <Plus size={13} aria-hidden />
          {words.cell.add}
        </button>
      </div>
    );
  }
  const run = () => {
    if (code.trim() === "" || busy) return;
    setBusy(true);
    api
      .runCell(conversationId, { code, after_cell: after })
      .then(() => onChange(undefined), reportError)
      .finally(() => setBusy(false));
  };
  return (
    <section
      aria-label={words.cell.newCell}
      className="mt-3 overflow-hidden rounded-lg border border-accent bg-raised [&>div]:border-t-0"
    >
      <CellEditor
        code={code}
        language={language}
        label={words.cell.newCell}
        busy={busy}
        onChange={onChange}
        onRun={run}
        onLeave={() => onChange(undefined)}
      />
    </section>
  );
}
