import { ChevronRight } from "lucide-react";
import { useWords } from "../../i18n";
import type { ReasoningPart } from "../../protocol/generated";

/** What the model thought, folded away. */
export function Reasoning({ part }: { part: ReasoningPart }) {
  const words = useWords();
  return (
    <details className="group py-1.5">
      <summary className="inline-flex list-none items-center gap-1.5 rounded-sm text-sm text-muted hover:text-fg">
        <ChevronRight size={15} className="transition-transform group-open:rotate-90" aria-hidden />
        <span className={part.done ? "" : "shimmer"}>{words.chat.reasoning}</span>
      </summary>
      <p className="mt-2 border-l-2 border-line pl-4 text-sm whitespace-pre-wrap text-muted [overflow-wrap:anywhere]">
        {part.text}
      </p>
    </details>
  );
}
