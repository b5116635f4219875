/**
 * A cell: its state in one line, the code or its editor, what it printed and drew, the files it
 * made, and the place for another one below it.
 */
import { memo, type ReactNode } from "react";
import { useWords } from "../../i18n";
import type { CellPart } from "../../protocol/generated";
import { OutputList } from "../../outputs/OutputList";
import { AddCell } from "./AddCell";
import { CellCode } from "./CellCode";
import { CellFiles } from "./CellFiles";
import { CellHeader } from "./CellHeader";
import { CellMenu } from "./CellMenu";
import { EditedCode } from "./EditedCode";
import { InputBox } from "./InputBox";
import { useCellView } from "./viewState";

interface Props {
  cell: CellPart;
  conversationId: string;
  /** What the person is asked before the cell runs. */
  approval?: ReactNode;
  /** What would mend it. */
  offers?: ReactNode;
}

export const CellView = memo(function CellView({ cell, conversationId, approval, offers }: Props) {
  const words = useWords();
  const [view, change] = useCellView(cell.cell_id);
  const running = cell.status === "running";
  const live = running || cell.status === "writing" || cell.status === "waiting";
  const editing = view.draft !== undefined && !live;
  return (
    <div className="cell-place">
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
        >
          <CellMenu
            cell={cell}
            conversationId={conversationId}
            onEdit={() => change({ draft: cell.code, folded: false })}
            onAdd={() => change({ added: "" })}
          />
        </CellHeader>
        {editing && (
          <EditedCode
            cell={cell}
            conversationId={conversationId}
            draft={view.draft ?? cell.code}
            onDraft={(draft) => change({ draft })}
          />
        )}
        {!view.folded && !editing && (
          <CellCode
            code={cell.code}
            language={cell.language ?? "python"}
            writing={cell.status === "writing"}
            live={live}
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
        {offers}
        <CellFiles cell={cell} conversationId={conversationId} />
      </section>
      {cell.status !== "writing" && cell.status !== "waiting" && (
        <AddCell
          conversationId={conversationId}
          after={cell.cell_id}
          language={cell.language}
          code={view.added}
          onChange={(added) => change({ added })}
        />
      )}
    </div>
  );
});

function Reason({ text }: { text: string }) {
  return (
    <p className="border-t border-line px-4 py-2 text-sm whitespace-pre-wrap text-muted [overflow-wrap:anywhere]">
      {text}
    </p>
  );
}
