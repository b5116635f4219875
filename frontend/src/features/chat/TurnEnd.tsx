/** The foot of a turn: what is under way, how it ended, and what can be done about it. */
import { RotateCcw } from "lucide-react";
import { useWords } from "../../i18n";
import type { Turn } from "../../protocol/generated";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/CopyButton";
import { SentAction } from "./SentAction";

interface Props {
  turn: Turn;
  conversationId: string;
  /** It runs, and no part of it shows so. */
  busy: boolean;
  answer: () => string;
  onRetry: (turnId: string) => void;
  last: boolean;
}

export function TurnEnd({ turn, conversationId, busy, answer, onRetry, last }: Props) {
  const words = useWords();
  if (turn.status === "running") {
    return (
      <div className="flex min-h-9 items-center py-1 text-sm">
        {busy && <span className="shimmer">{words.chat.thinking}</span>}
      </div>
    );
  }
  if (turn.imported !== undefined) return <div className="h-2" />;
  const { turn_id: id } = turn;
  const mayHelp = turn.status !== "failed" || turn.error?.retryable === true;
  const retry = last && mayHelp && id !== undefined && turn.status !== "completed" && (
    <Button small onClick={() => onRetry(id)}>
      <RotateCcw size={14} aria-hidden />
      {words.common.retry}
    </Button>
  );
  return (
    <div className="flex flex-col gap-2 pt-1 pb-2">
      {turn.status === "failed" && (
        <Banner bad title={words.chat.failed} detail={turn.error?.message} hint={turn.error?.hint}>
          {retry}
        </Banner>
      )}
      {(turn.status === "stopped" || turn.status === "limit") && (
        <p className="flex items-center gap-3 text-sm text-muted">
          <span>
            {turn.status === "stopped" ? words.chat.stopped : words.chat.limit}
            {turn.error && (
              <span className="block text-xs text-faint">
                {[turn.error.message, turn.error.hint].filter(Boolean).join(" ")}
              </span>
            )}
          </span>
          {retry}
        </p>
      )}
      <Foot turn={turn} conversationId={conversationId} answer={answer} />
    </div>
  );
}

function Foot({ turn, conversationId, answer }: Pick<Props, "turn" | "conversationId" | "answer">) {
  const words = useWords();
  const { usage, model } = turn;
  const told = usage && [
    words.chat.tokens(usage.input_tokens + usage.output_tokens),
    usage.context_window !== undefined &&
      words.chat.window(usage.context_tokens, usage.context_window),
    usage.cost !== undefined && words.chat.cost(usage.cost),
  ];
  return (
    <div className="flex items-center gap-2 text-xs text-faint">
      {answer() !== "" && (
        <div className="-ml-1.5">
          <CopyButton text={answer} label={words.chat.copyAnswer} />
        </div>
      )}
      <span className="truncate">{[model, ...(told ?? [])].filter(Boolean).join(" · ")}</span>
      {turn.turn_id !== undefined && (
        <SentAction conversationId={conversationId} turnId={turn.turn_id} />
      )}
    </div>
  );
}
