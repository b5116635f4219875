/** A cell: its state in one line, the code, what it printed and drew, and the files it made. */
import { memo, type ReactNode } from "react";
import { useWords } from "../../i18n";
import { fileUrl } from "../../lib/api";
import type { CellPart } from "../../protocol/generated";
import { OutputList } from "../../outputs/OutputList";
import { FileChip } from "../../ui/FileChip";
import { CellCode } from "./CellCode";
import { CellHeader } from "./CellHeader";
import { InputBox } from "./InputBox";
import { useCellView } from "./viewState";

interface Props {
  cell: CellPart;
  conversationId: string;
  /** What the person is asked before the cell runs. */
  approval?: ReactNode;
}

export const CellView = memo(function CellView({ cell, conversationId, approval }: Props) {
  const words = useWords();
  const [view, change] = useCellView(cell.cell_id);
  const running = cell.status === "running";
  return (
    <section
      aria-label={words.cell.label(cell.execution_count)}
      data-cell={cell.cell_id}
      data-status={cell.status}
      className="overflow-hidden rounded-lg border border-line bg-raised"
    >
      <CellHeader
        cell={cell}
        folded={view.folded}
        onFold={() => change({ folded: !view.folded })}
      />
      {!view.folded && (
        <CellCode
          code={cell.code}
          writing={cell.status === "writing"}
          live={running || cell.status === "writing" || cell.status === "waiting"}
          marks={cell.approval?.reasons.map((reason) => reason.line)}
          all={view.allLines}
          onAll={(allLines) => change({ allLines })}
        />
      )}
      {approval}
      {cell.reason !== undefined && <Reason text={cell.reason} />}
      {cell.outputs.length > 0 && (
        <div className="border-t border-line px-4 py-3">
          <OutputList
            outputs={cell.outputs}
            conversationId={conversationId}
            cellId={cell.cell_id}
            running={running}
            {...(cell.truncated && { truncated: cell.truncated })}
          />
        </div>
      )}
      {cell.input && running && (
        <InputBox prompt={cell.input} conversationId={conversationId} cellId={cell.cell_id} />
      )}
      <CellFiles cell={cell} conversationId={conversationId} />
    </section>
  );
});

function Reason({ text }: { text: string }) {
  return (
    <p className="border-t border-line px-4 py-2 text-sm whitespace-pre-wrap text-muted [overflow-wrap:anywhere]">
      {text}
    </p>
  );
}

function CellFiles({ cell, conversationId }: Props) {
  const words = useWords();
  const { added, changed, removed } = cell.files;
  if (added.length + changed.length + removed.length === 0) return null;
  return (
    <div className="flex flex-wrap items-center gap-1.5 border-t border-line px-3 py-2.5">
      <ul aria-label={words.cell.files} className="contents">
        {[...added, ...changed].map((path) => (
          <li key={path} className="max-w-full">
            <FileChip
              path={path}
              href={fileUrl(conversationId, path)}
              label={words.chat.download(path)}
            />
          </li>
        ))}
      </ul>
      {removed.length > 0 && (
        <span className="text-[13px] text-muted">{words.cell.removed(removed.length)}</span>
      )}
    </div>
  );
}
