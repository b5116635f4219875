/** A call of another tool than running code: one line, and folded away what went in and came out. */
import { ChevronRight, CircleAlert, CircleCheck, FileSearch, Plug } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { useWords } from "../../i18n";
import { speaksToModel } from "../../lib/instructions";
import type { ToolPart } from "../../protocol/generated";
import { InstructionMark } from "../../ui/InstructionMark";
import { Spinner } from "../../ui/Spinner";

interface Props {
  part: ToolPart;
  /** What the person is asked before the tool runs. */
  approval?: ReactNode;
}

export function ToolCall({ part, approval }: Props) {
  const words = useWords().chat;
  const Icon = part.server === undefined ? FileSearch : Plug;
  const found = useMemo(() => speaksToModel(part.content ?? ""), [part.content]);
  if (part.status === "waiting") return <Waiting part={part} approval={approval} />;
  return (
    <>
      {found !== null && <InstructionMark found={found} />}
      <details className="group my-1.5 overflow-hidden rounded-lg border border-line">
        <summary className="flex h-10 min-w-0 list-none items-center gap-1.5 bg-code pr-3 pl-2 text-[13px] text-muted hover:text-fg">
          <ChevronRight
            size={15}
            className="shrink-0 transition-transform group-open:rotate-90"
            aria-hidden
          />
          <Status status={part.status} />
          <Icon size={15} className="shrink-0" aria-hidden />
          <span className="max-w-[60%] shrink-0 truncate font-medium text-fg">
            {words.tool(toolName(part))}
          </span>
          {part.server !== undefined && (
            <span className="max-w-[40%] truncate text-faint">{words.toolOf(part.server)}</span>
          )}
          <code className="min-w-0 flex-1 truncate text-xs text-faint group-open:invisible max-sm:hidden">
            {part.arguments}
          </code>
          <span
            className={`ml-auto shrink-0 ${part.status === "error" ? "text-danger" : "sr-only"}`}
          >
            {words.toolState[part.status]}
          </span>
        </summary>
        <div className="flex flex-col gap-1 border-t border-line px-3 py-2.5">
          <Piece title={words.toolArguments} text={pretty(part.arguments)} />
          {part.status !== "running" && (
            <Piece title={words.toolResult} text={pretty(part.content)} />
          )}
        </div>
      </details>
    </>
  );
}

function Waiting({ part, approval }: Props) {
  const words = useWords().chat;
  return (
    <section
      aria-label={words.tool(toolName(part))}
      className="my-1.5 overflow-hidden rounded-lg border border-line bg-raised"
    >
      <p className="flex items-center gap-1.5 px-4 pt-3 text-sm font-medium">
        <Plug size={15} className="shrink-0 text-muted" aria-hidden />
        <span className="truncate">{words.tool(toolName(part))}</span>
        {part.server !== undefined && (
          <span className="truncate font-normal text-faint">{words.toolOf(part.server)}</span>
        )}
      </p>
      <div className="flex flex-col gap-1 px-4 pt-1 pb-3">
        <Piece title={words.toolArguments} text={pretty(part.arguments)} />
      </div>
      {approval}
    </section>
  );
}

function Piece({ title, text }: { title: string; text: string }) {
  return (
    <>
      <h4 className="text-xs text-faint">{title}</h4>
      {/* What is long scrolls, and has to be reached with the keys as well. */}
      <section
        {...{ tabIndex: 0 }}
        aria-label={title}
        className="max-h-80 overflow-auto rounded-sm py-1"
      >
        <pre className="text-xs whitespace-pre-wrap text-fg [overflow-wrap:anywhere]">{text}</pre>
      </section>
    </>
  );
}

function Status({ status }: { status: Exclude<ToolPart["status"], "waiting"> }) {
  switch (status) {
    case "running":
      return <Spinner />;
    case "ok":
      return <CircleCheck size={16} className="shrink-0 text-ok" aria-hidden />;
    case "error":
      return <CircleAlert size={16} className="shrink-0 text-danger" aria-hidden />;
    default:
      status satisfies never;
      return null;
  }
}

/** A tool's own name: what the model calls it by begins with its server. */
export function toolName({ server, name }: Pick<ToolPart, "server" | "name">): string {
  const at = server === undefined ? -1 : name.indexOf("__");
  return at < 0 ? name : name.slice(at + 2);
}

/** JSON on several lines; anything else as it is. */
function pretty(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}
