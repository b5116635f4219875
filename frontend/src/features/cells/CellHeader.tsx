/** The state of a cell in one line, with the time it takes while it takes it. */
import {
  Ban,
  ChevronDown,
  ChevronRight,
  CircleAlert,
  CircleCheck,
  Clock,
  Hand,
  PenLine,
  Skull,
  Square,
} from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { duration } from "../../i18n/format";
import { settingOf } from "../../lib/lists";
import { useResource } from "../../lib/resource";
import type { CellPart } from "../../protocol/generated";
import { CopyButton } from "../../ui/CopyButton";
import { IconButton } from "../../ui/IconButton";
import { Spinner } from "../../ui/Spinner";

interface Props {
  cell: CellPart;
  folded: boolean;
  onFold: () => void;
  /** What can be done with the cell. */
  children?: ReactNode;
}

export function CellHeader({ cell, folded, onFold, children }: Props) {
  const words = useWords();
  const elapsed = useElapsed(cell);
  const long = useIsLong(cell.status === "running" ? elapsed : undefined);
  const Chevron = folded ? ChevronRight : ChevronDown;
  return (
    <header className="flex h-10 items-center gap-1.5 bg-code pr-1.5 pl-1.5 text-[13px] text-muted">
      <IconButton
        small
        label={folded ? words.cell.showCode : words.cell.hideCode}
        aria-expanded={!folded}
        onClick={onFold}
      >
        <Chevron size={16} aria-hidden />
      </IconButton>
      <StatusIcon status={cell.status} />
      <p className="flex min-w-0 flex-1 items-baseline gap-1.5 overflow-hidden whitespace-nowrap">
        <span className={statusLook(cell.status)}>
          {long ? words.cell.stillRunning : words.cell[cell.status]}
        </span>
        {elapsed !== undefined && <span className="tabular-nums">{duration(elapsed, words)}</span>}
        {cell.origin === "person" && (
          <span className="truncate text-faint">{`· ${words.cell.byYou}`}</span>
        )}
        {cell.edited === true && (
          <span className="truncate text-faint">{`· ${words.cell.edited}`}</span>
        )}
        {cell.repaired === true && (
          <span className="truncate text-faint" title={words.cell.repairedHint}>
            {`· ${words.cell.repaired}`}
          </span>
        )}
      </p>
      {cell.execution_count !== undefined && (
        <span className="px-1 font-mono text-xs text-faint">{`[${cell.execution_count}]`}</span>
      )}
      <CopyButton text={() => cell.code} label={words.cell.copyCode} />
      {children}
    </header>
  );
}

function statusLook(status: CellPart["status"]): string {
  if (status === "error" || status === "died" || status === "timeout")
    return "font-medium text-danger";
  if (status === "waiting") return "font-medium text-warn";
  return status === "running" || status === "writing" ? "font-medium text-fg" : "";
}

function StatusIcon({ status }: { status: CellPart["status"] }) {
  const common = { size: 16, "aria-hidden": true } as const;
  switch (status) {
    case "writing":
      return <PenLine {...common} className="pulse shrink-0 text-accent" />;
    case "waiting":
      return <Hand {...common} className="shrink-0 text-warn" />;
    case "running":
      return <Spinner />;
    case "ok":
      return <CircleCheck {...common} className="shrink-0 text-ok" />;
    case "error":
      return <CircleAlert {...common} className="shrink-0 text-danger" />;
    case "interrupted":
      return <Square {...common} className="shrink-0 text-warn" />;
    case "timeout":
      return <Clock {...common} className="shrink-0 text-danger" />;
    case "died":
      return <Skull {...common} className="shrink-0 text-danger" />;
    case "not_run":
      return <Ban {...common} className="shrink-0" />;
    default:
      status satisfies never;
      return null;
  }
}

const TICK_MS = 100;
// Shorter than this no setting can be, so cells that are quick ask for none.
const ASK_MS = 1000;
const LONG_S = 120;

/** Whether a cell runs for longer than the setting allows without a word. */
function useIsLong(elapsed: number | undefined): boolean {
  const asks = elapsed !== undefined && elapsed >= ASK_MS;
  const { data } = useResource(settingOf, asks ? "cell_seconds" : undefined);
  return asks && elapsed >= 1000 * (typeof data === "number" ? data : LONG_S);
}

/** Milliseconds the cell took, or has been taking so far; nothing before it runs. */
function useElapsed(cell: CellPart): number | undefined {
  const running = cell.status === "running";
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [running]);
  if (running && cell.started_at !== undefined)
    return Math.max(0, now - Date.parse(cell.started_at));
  return running || cell.status === "not_run" ? undefined : cell.ms;
}
