/** The files a cell made, changed and deleted, and how to undo that. */
import { FileMinus2, Undo2 } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { ApiError, api, fileUrl, type Reverted } from "../../lib/api";
import type { CellPart } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { FileChip } from "../../ui/FileChip";
import { reportError } from "../../ui/report";
import { toast } from "../../ui/Toast";

interface Props {
  cell: CellPart;
  conversationId: string;
}

export function CellFiles({ cell, conversationId }: Props) {
  const words = useWords();
  const { added, changed, removed } = cell.files;
  if (added.length + changed.length + removed.length === 0) return null;
  return (
    <div className="border-t border-line px-3 py-2.5">
      <div className="flex flex-wrap items-center gap-1.5">
        <ul aria-label={words.cell.files} className="contents">
          {[...added, ...changed].map((path) => (
            <li key={path} className="flex max-w-full items-center gap-1">
              <FileChip
                path={path}
                href={fileUrl(conversationId, path)}
                label={words.chat.download(path)}
              />
              {changed.includes(path) && (
                <span className="text-xs text-faint">{words.cell.fileChanged}</span>
              )}
            </li>
          ))}
          {removed.map((path) => (
            <li
              key={path}
              className="inline-flex max-w-full items-center gap-1.5 px-1 text-[13px] text-muted"
            >
              <FileMinus2 size={15} className="shrink-0" aria-hidden />
              <span className="sr-only">{words.cell.fileRemoved}</span>
              <del className="truncate">{path}</del>
            </li>
          ))}
        </ul>
        {cell.status !== "running" && <Revert cell={cell} conversationId={conversationId} />}
      </div>
      {cell.not_kept && (
        <p className="pt-1.5 text-xs text-faint [overflow-wrap:anywhere]">
          {words.cell.notKept(cell.not_kept)}
        </p>
      )}
    </div>
  );
}

function Revert({ cell, conversationId }: Props) {
  const words = useWords();
  const [asking, setAsking] = useState<string>();
  const revert = (id: string, force: boolean) => {
    api.revert(conversationId, id, force).then(done, (error: unknown) => {
      const ask = error instanceof ApiError && ASKED.has(error.code) && !force;
      if (ask) setAsking(error.message);
      else reportError(error);
    });
  };
  const done = ({ revert_id, files }: Reverted) => {
    const count = files.added.length + files.changed.length + files.removed.length;
    const run = () => revert(revert_id, true);
    toast({ text: words.cell.reverted(count), action: { label: words.common.undo, run } });
  };
  return (
    <>
      <Button small look="quiet" className="ml-auto" onClick={() => revert(cell.cell_id, false)}>
        <Undo2 size={14} aria-hidden />
        {words.cell.revert}
      </Button>
      <ConfirmDialog
        open={asking !== undefined}
        onClose={() => setAsking(undefined)}
        onConfirm={() => revert(cell.cell_id, true)}
        title={words.cell.revertTitle}
        body={`${asking ?? ""} ${words.cell.revertBody}`}
        action={words.cell.revertAction}
      />
    </>
  );
}

const ASKED: ReadonlySet<string> = new Set(["changed_later", "not_kept"]);
