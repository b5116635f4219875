/** Asks the person before code or a tool runs: why, and what to do. Nothing runs by accident. */
import { Hand } from "lucide-react";
import { useId, useLayoutEffect, useRef, useState } from "react";
import { useWords } from "../../i18n";
import { reasonText } from "../../i18n/reasons";
import { api } from "../../lib/api";
import type { Reason } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { reportError } from "../../ui/report";

interface Props {
  conversationId: string;
  /** The cell's id, or the call's. */
  id: string;
  reasons: readonly Reason[];
  /** The code, which can be changed; without it a tool is asked about. */
  code?: string;
}

interface Answer {
  run: boolean;
  code?: string;
  remember?: boolean;
}

export function ApprovalCard({ conversationId, id, reasons, code }: Props) {
  const words = useWords();
  const heading = useId();
  const card = usePoliteFocus();
  const [draft, setDraft] = useState<string>();
  const [remember, setRemember] = useState(false);
  const [sending, setSending] = useState(false);

  function decide(answer: Answer): void {
    if (sending) return;
    setSending(true);
    api
      .decide(conversationId, id, answer)
      .catch(reportError)
      .finally(() => setSending(false));
  }
  const run = () =>
    decide({
      run: true,
      ...(remember && { remember }),
      ...(draft !== undefined && draft !== code && { code: draft }),
    });

  return (
    <div
      ref={card}
      role="group"
      tabIndex={-1}
      aria-labelledby={heading}
      data-approval={id}
      className="border-t border-line bg-warn-soft px-4 py-3 text-sm -outline-offset-2"
    >
      <p id={heading} className="flex items-center gap-2 font-medium">
        <Hand size={16} className="shrink-0 text-warn" aria-hidden />
        {code === undefined ? words.approval.askTool : words.approval.askCode}
      </p>
      <Reasons reasons={reasons} numbered={code !== undefined} onLine={showLine} />
      {draft !== undefined && <Editor value={draft} onChange={setDraft} />}
      <label className="mt-2.5 flex items-start gap-2 py-0.5">
        <input
          type="checkbox"
          checked={remember}
          onChange={(event) => setRemember(event.target.checked)}
          className="mt-0.5 size-4 shrink-0 accent-accent"
        />
        <span>
          {words.approval.remember}
          {reasons.some(({ kind }) => kind === "hidden") && (
            <span className="block text-[13px] text-muted">{words.approval.rememberHidden}</span>
          )}
        </span>
      </label>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button look="primary" disabled={sending || draft?.trim() === ""} onClick={run}>
          {draft === undefined ? words.approval.run : words.approval.runChanged}
        </Button>
        {code !== undefined && (
          <Button onClick={() => setDraft(draft === undefined ? code : undefined)}>
            {draft === undefined ? words.approval.edit : words.approval.discard}
          </Button>
        )}
        <Button disabled={sending} onClick={() => decide({ run: false })}>
          {words.approval.refuse}
        </Button>
      </div>
    </div>
  );

  function showLine(line: number): void {
    const cell = card.current?.closest("[data-cell]");
    cell?.querySelector(`[data-mark="${line}"]`)?.scrollIntoView({ block: "center" });
  }
}

interface ReasonsProps {
  reasons: readonly Reason[];
  numbered: boolean;
  onLine: (line: number) => void;
}

function Reasons({ reasons, numbered, onLine }: ReasonsProps) {
  const words = useWords();
  return (
    <ul aria-label={words.approval.reasons} className="mt-2 flex flex-col gap-1">
      {reasons.map((reason) => (
        <li key={`${reason.line} ${reason.text}`} className="flex min-w-0 items-baseline gap-2">
          {numbered && (
            <button
              type="button"
              onClick={() => onLine(reason.line)}
              className="shrink-0 rounded-sm text-[13px] tabular-nums text-muted underline decoration-dotted underline-offset-2 hover:text-fg"
            >
              {words.approval.line(reason.line)}
            </button>
          )}
          <span className="min-w-0 [overflow-wrap:anywhere]">
            {reasonText(reason, words)}
            {reason.what !== undefined && (
              <code className="ml-1.5 font-mono text-[13px] text-muted">{reason.what}</code>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

const ROWS_MAX = 16;

function Editor({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const words = useWords();
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => area.current?.focus(), []);
  return (
    <textarea
      ref={area}
      aria-label={words.approval.editLabel}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      rows={Math.min(value.split("\n").length + 1, ROWS_MAX)}
      spellCheck={false}
      className="mt-3 w-full rounded-md border border-line-strong bg-bg px-3 py-2 font-mono text-base whitespace-pre sm:text-[13px]"
    />
  );
}

/**
 * The question takes the focus, but not from who is writing, and on no button: a key that was on
 * its way runs nothing. When it goes, who was in it goes on in the message box.
 */
function usePoliteFocus() {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current: box } = card;
    if (!isWriting()) box?.focus({ preventScroll: true });
    return () => {
      if (box?.contains(document.activeElement)) document.getElementById("composer")?.focus();
    };
  }, []);
  return card;
}

function isWriting(): boolean {
  const { activeElement: at } = document;
  const field = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement;
  return field && at.value !== "";
}
