import { ChevronRight } from "lucide-react";
import { useWords } from "../../i18n";
import type { ToolPart } from "../../protocol/generated";

/** A call of another tool than running code: one line, and folded away what went in and came out. */
export function ToolCall({ part }: { part: ToolPart }) {
  const words = useWords();
  const name = part.server === undefined ? part.name : `${part.server}: ${part.name}`;
  return (
    <details className="group py-1.5">
      <summary className="flex min-w-0 list-none items-center gap-1.5 rounded-sm text-sm text-muted hover:text-fg">
        <ChevronRight
          size={15}
          className="shrink-0 transition-transform group-open:rotate-90"
          aria-hidden
        />
        <span className={part.status === "running" ? "shimmer shrink-0" : "shrink-0"}>
          {words.chat.tool(name)}
        </span>
        <code className="truncate text-xs text-faint">{part.arguments}</code>
        {part.status === "error" && (
          <span className="shrink-0 text-xs text-danger">{words.chat.toolFailed}</span>
        )}
      </summary>
      <pre className="mt-2 max-h-80 overflow-auto border-l-2 border-line pl-4 text-xs whitespace-pre-wrap text-muted [overflow-wrap:anywhere]">
        {part.content}
      </pre>
    </details>
  );
}
