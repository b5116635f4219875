/** The code of a cell that ran, being changed; it runs again in its place. */
import { useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import type { CellPart } from "../../protocol/generated";
import { reportError } from "../../ui/report";
import { CellEditor } from "./CellEditor";

interface Props {
  cell: CellPart;
  conversationId: string;
  draft: string;
  onDraft: (draft: string | undefined) => void;
}

export function EditedCode({ cell, conversationId, draft, onDraft }: Props) {
  const words = useWords();
  const [busy, setBusy] = useState(false);
  const run = () => {
    if (busy || draft.trim() === "") return;
    setBusy(true);
    api
      .editCell(conversationId, cell.cell_id, draft)
      .then(() => onDraft(undefined), reportError)
      .finally(() => setBusy(false));
  };
  return (
    <CellEditor
      code={draft}
      language={cell.language}
      label={words.cell.editing(words.cell.label(cell.execution_count))}
      busy={busy}
      onChange={onDraft}
      onRun={run}
      onLeave={() => onDraft(undefined)}
    />
  );
}
