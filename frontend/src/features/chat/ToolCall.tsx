import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { useWords } from "../../i18n";
import type { ToolPart } from "../../protocol/generated";

interface Props {
  part: ToolPart;
  /** What the person is asked before the tool runs. */
  approval?: ReactNode;
}

/** A call of another tool than running code: one line, and folded away what went in and came out. */
export function ToolCall({ part, approval }: Props) {
  const words = useWords();
  const name = part.server === undefined ? part.name : `${part.server}: ${part.name}`;
  if (part.status === "waiting") {
    return (
      <section
        aria-label={words.chat.tool(name)}
        className="my-2 overflow-hidden rounded-lg border border-line bg-raised"
      >
        <p className="px-4 pt-3 text-sm font-medium">{words.chat.tool(name)}</p>
        <pre
          aria-label={words.approval.arguments}
          // A long one is scrolled, by keys too.
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className="max-h-80 overflow-auto px-4 pt-1 pb-3 text-xs whitespace-pre-wrap text-muted [overflow-wrap:anywhere]"
        >
          {pretty(part.arguments)}
        </pre>
        {approval}
      </section>
    );
  }
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

/** Arguments as they are read best; as they are if they are no JSON. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
