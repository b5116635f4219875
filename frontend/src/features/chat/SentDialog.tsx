/** Exactly what left for the model in a turn: every request, readable and byte for byte. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import type { SentRequest } from "../../lib/api";
import { useSent } from "../../lib/looks";
import { CopyButton } from "../../ui/CopyButton";
import { Dialog } from "../../ui/Dialog";
import { Spinner } from "../../ui/Spinner";
import { SentText } from "./SentText";

const HASH = "SHA-256";

interface Props {
  conversationId: string;
  turnId: string;
  open: boolean;
  onClose: () => void;
}

export default function SentDialog({ conversationId, turnId, open, onClose }: Props) {
  const { sent } = useWords();
  return (
    <Dialog wide open={open} onClose={onClose} title={sent.title} lead={sent.lead}>
      <Requests conversationId={conversationId} turnId={turnId} />
    </Dialog>
  );
}

function Requests({ conversationId, turnId }: { conversationId: string; turnId: string }) {
  const words = useWords();
  const { data, error } = useSent(conversationId, turnId);
  if (error) return <p className="text-sm text-danger">{error.message}</p>;
  if (data === undefined) return <Spinner />;
  if (data.length === 0) return <p className="text-sm text-muted">{words.sent.none}</p>;
  return (
    <ol className="flex flex-col gap-2">
      {data.map((request, index) => (
        <Request
          key={request.request_id}
          request={request}
          number={index + 1}
          first={data.length === 1}
        />
      ))}
    </ol>
  );
}

function Request({
  request,
  number,
  first,
}: {
  request: SentRequest;
  number: number;
  first: boolean;
}) {
  const words = useWords();
  const [open, setOpen] = useState(first);
  const { locale } = words.time;
  const facts = [
    request.at && new Date(request.at).toLocaleTimeString(locale),
    hostOf(request.url),
    request.bytes !== undefined && fileSize(request.bytes, locale),
  ];
  return (
    <li className="rounded-md border border-line">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-10 w-full items-center gap-2 rounded-md px-3 py-2 text-start text-sm hover:bg-hover"
      >
        <ChevronRight
          size={16}
          aria-hidden
          className={`shrink-0 text-muted transition-transform ${open ? "rotate-90" : ""}`}
        />
        <span className="shrink-0 font-medium">{words.sent.request(number)}</span>
        <span className="min-w-0 flex-1 truncate text-end text-xs text-muted tabular-nums">
          {facts.filter(Boolean).join(" · ")}
        </span>
      </button>
      {open && <Body request={request} />}
    </li>
  );
}

function Body({ request }: { request: SentRequest }) {
  const { sent } = useWords();
  const [raw, setRaw] = useState(false);
  return (
    <div className="border-t border-line px-3 pt-2 pb-3">
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-xs [&_dt]:text-muted [&_dd]:break-all">
        <dt>{sent.address}</dt>
        <dd>{request.url}</dd>
        {request.bytes !== undefined && (
          <>
            <dt>{sent.bytes}</dt>
            <dd className="tabular-nums">{request.bytes}</dd>
          </>
        )}
        {request.sha256 !== undefined && (
          <>
            <dt>{HASH}</dt>
            <dd className="font-mono">{request.sha256}</dd>
          </>
        )}
      </dl>
      <div className="mt-2 flex items-center gap-1">
        <Choice on={!raw} onPick={() => setRaw(false)} label={sent.readable} />
        <Choice on={raw} onPick={() => setRaw(true)} label={sent.raw} />
        <span className="flex-1" />
        <CopyButton text={() => request.body} label={sent.copy} />
      </div>
      <div
        role="region"
        aria-label={raw ? sent.raw : sent.readable}
        // biome-ignore lint: a scroller without focusable content must be reachable by keyboard
        tabIndex={0}
        className="scroller mt-1 max-h-[44vh] rounded-md bg-sunken p-3"
      >
        <pre className="font-mono text-xs leading-5 break-words whitespace-pre-wrap">
          <SentText text={raw ? request.body : readable(request.body)} drawn={!raw} />
        </pre>
      </div>
    </div>
  );
}

function Choice({ on, onPick, label }: { on: boolean; onPick: () => void; label: string }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onPick}
      className={`touch h-7 rounded-md px-2.5 text-[13px] ${on ? "bg-active text-fg" : "text-muted hover:bg-hover"}`}
    >
      {label}
    </button>
  );
}

function hostOf(url: string): string {
  return (URL.canParse(url) && new URL(url).host) || url;
}

/** The body with its own lines: indented, and line breaks in texts shown as such. */
function readable(body: string): string {
  try {
    const text = JSON.stringify(JSON.parse(body), null, 2);
    return text.replaceAll(/(?<!\\)((?:\\\\)*)\\n/g, "$1\n");
  } catch {
    return body;
  }
}
