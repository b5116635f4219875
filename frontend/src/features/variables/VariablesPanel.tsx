/** What the kernel holds, read anew whenever it comes to rest; a table opens in a dialog. */
import { Table2 } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useWords, type Words } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { useTranscript } from "../../lib/live";
import { useVariables } from "../../lib/variables";
import type { KernelInfo, Variable } from "../../protocol/generated";
import { messageOf } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";

const TableDialog = lazy(() => import("./TableDialog"));

interface Props {
  conversationId: string | undefined;
}

export function VariablesPanel({ conversationId }: Props) {
  return <Held key={conversationId} conversationId={conversationId} />;
}

/** Between two cells the kernel rests for a moment only: it is not asked then. */
const RESTS_MS = 200;

function useRest(idle: boolean): boolean {
  const [rests, setRests] = useState(false);
  useEffect(() => {
    if (!idle) return;
    const timer = setTimeout(() => setRests(true), RESTS_MS);
    return () => {
      clearTimeout(timer);
      setRests(false);
    };
  }, [idle]);
  return idle && rests;
}

function Held({ conversationId }: Props) {
  const words = useWords();
  const loaded = useTranscript(conversationId ?? "");
  const kernel = loaded.state === "ready" ? loaded.transcript.kernel.state : "parked";
  const idle = useRest(kernel === "idle");
  const { data: read, error } = useVariables(conversationId, idle);
  // What was there before stands until it has been read anew.
  const [data, setData] = useState(read);
  if (read !== undefined && read !== data) setData(read);
  const [opened, setOpened] = useState<Variable>();
  const found = data?.variables ?? [];
  const text = note(kernel, words) ?? (error && messageOf(error, words));
  return (
    <>
      {text !== undefined && <p className="px-5 pb-3 text-[13px] text-pretty text-muted">{text}</p>}
      {text === undefined && data === undefined && (
        <p className="px-5">
          <Spinner />
        </p>
      )}
      {text === undefined && data !== undefined && found.length === 0 && (
        <p className="px-5 text-[13px] text-pretty text-muted">
          {data.state === "unsupported" ? words.variables.unsupported : words.variables.none}
        </p>
      )}
      {found.length > 0 && kernel !== "parked" && kernel !== "dead" && (
        <ul
          className={`scroller min-h-0 flex-1 px-2 pb-3 ${kernel === "idle" ? "" : "opacity-70"}`}
        >
          {found.map((one) => (
            <li key={one.name}>
              <Row variable={one} onOpen={() => setOpened(one)} />
            </li>
          ))}
          {data !== undefined && data.total > found.length && (
            <li className="px-2 pt-1 text-xs text-muted">
              {words.variables.more(data.total - found.length)}
            </li>
          )}
        </ul>
      )}
      {opened !== undefined && conversationId !== undefined && (
        <Suspense>
          <TableDialog
            conversationId={conversationId}
            name={opened.name}
            type={opened.type}
            idle={idle}
            onClose={() => setOpened(undefined)}
          />
        </Suspense>
      )}
    </>
  );
}

/** What is to be said where they are not as they are at this moment. */
function note(kernel: KernelInfo["state"], { variables }: Words): string | undefined {
  if (kernel === "parked" || kernel === "dead") return variables.parked;
  return kernel === "idle" ? undefined : variables.busy;
}

const ROW = "block w-full min-w-0 rounded-md px-2 py-1.5 text-start";

function Row({ variable, onOpen }: { variable: Variable; onOpen: () => void }) {
  if (!variable.table) {
    return (
      <div className={ROW}>
        <Described variable={variable} />
      </div>
    );
  }
  return (
    <button
      type="button"
      aria-haspopup="dialog"
      onClick={onOpen}
      className={`${ROW} hover:bg-hover`}
    >
      <Described variable={variable} />
    </button>
  );
}

function Described({ variable }: { variable: Variable }) {
  const { time } = useWords();
  const { shape, memory, dtype } = variable;
  const facts = [
    variable.type,
    dtype,
    shape && shape.map((size) => size.toLocaleString(time.locale)).join(" × "),
    memory !== undefined && fileSize(memory, time.locale),
  ];
  return (
    <>
      <span className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate font-mono text-[13px] font-medium">
          {variable.name}
        </span>
        {variable.table && (
          <Table2 size={14} className="shrink-0 self-center text-accent" aria-hidden />
        )}
      </span>
      <span className="block truncate text-xs text-muted">{facts.filter(Boolean).join(" · ")}</span>
      {variable.first && (
        <span className="line-clamp-2 font-mono text-xs [overflow-wrap:anywhere] text-muted">
          {variable.first}
        </span>
      )}
    </>
  );
}
