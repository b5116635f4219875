/** One row of the transcript; drawn again only when its own part changes. */
import { memo, type ReactNode } from "react";
import type { CellPart, ToolPart, Turn } from "../../protocol/generated";
import { AnswerText } from "./AnswerText";
import { ImportedNote } from "./ImportedNote";
import { Prompt } from "./Prompt";
import { Reasoning } from "./Reasoning";
import { answerText, isVisiblyBusy, type Row } from "./rows";
import { ToolCall } from "./ToolCall";
import { TurnEnd } from "./TurnEnd";
import { UnseenNote } from "./UnseenNote";

interface Props {
  row: Row;
  conversationId: string;
  renderCell: (cell: CellPart, conversationId: string) => ReactNode;
  renderApproval: (tool: ToolPart, conversationId: string) => ReactNode;
  onRetry: (turnId: string) => void;
  onAskAnew: (turn: Turn, text: string) => Promise<void>;
  last: boolean;
}

export const RowView = memo(
  function RowView({
    row,
    conversationId,
    renderCell,
    renderApproval,
    onRetry,
    onAskAnew,
    last,
  }: Props) {
    const { turn } = row;
    if (row.kind === "prompt") {
      if (turn.imported !== undefined) return <ImportedNote name={turn.imported} />;
      return (
        <Prompt
          text={turn.prompt}
          attachments={turn.attachments}
          told={turn.told}
          conversationId={conversationId}
          id={row.key}
          fork={row.fork}
          onAskAnew={(text) => onAskAnew(turn, text)}
        />
      );
    }
    if (row.kind === "unseen") return <UnseenNote model={row.model} />;
    if (row.kind === "end") {
      return (
        <TurnEnd
          turn={turn}
          conversationId={conversationId}
          busy={turn.status === "running" && !isVisiblyBusy(turn)}
          answer={() => answerText(turn)}
          onRetry={onRetry}
          last={last}
        />
      );
    }
    if (row.part.type === "cell")
      return <div className="py-2">{renderCell(row.part, conversationId)}</div>;
    if (row.part.type === "tool") {
      return <ToolCall part={row.part} approval={renderApproval(row.part, conversationId)} />;
    }
    if (row.part.type === "reasoning") return <Reasoning part={row.part} />;
    if (row.part.kept?.cell_type === "raw") {
      return <pre className="overflow-x-auto py-2 font-mono text-[13px]">{row.part.text}</pre>;
    }
    return <AnswerText part={row.part} conversationId={conversationId} />;
  },
  (a, b) =>
    a.conversationId === b.conversationId &&
    a.onRetry === b.onRetry &&
    a.onAskAnew === b.onAskAnew &&
    a.renderCell === b.renderCell &&
    a.renderApproval === b.renderApproval &&
    a.last === b.last &&
    sameRow(a.row, b.row),
);

function sameRow(a: Row, b: Row): boolean {
  if (a.kind === "part" && b.kind === "part") return a.part === b.part;
  if (a.kind !== b.kind) return false;
  if (a.kind === "unseen" && b.kind === "unseen") return a.model === b.model;
  if (a.kind === "prompt" && b.kind === "prompt")
    return (
      a.turn.prompt === b.turn.prompt &&
      a.turn.attachments === b.turn.attachments &&
      a.fork.conversation === b.fork.conversation &&
      a.fork.turn === b.fork.turn &&
      a.turn.told === b.turn.told
    );
  return a.turn === b.turn;
}
