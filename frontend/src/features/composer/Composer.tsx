/**
 * Where the person writes: a question with its files, or Python to run. Enter sends, Shift+Enter
 * breaks the line, an input method's Enter does neither; what could not be sent stays.
 */
import { ArrowUp, Paperclip, Play, Square, SquareTerminal } from "lucide-react";
import { type ClipboardEvent, type KeyboardEvent, type RefObject, useId, useRef } from "react";
import { useWords } from "../../i18n";
import { changeDraft, NEW, useDraft } from "../../lib/drafts";
import { IconButton } from "../../ui/IconButton";
import { Spinner } from "../../ui/Spinner";
import { Tip } from "../../ui/Tip";
import { DraftFiles } from "./DraftFiles";
import { named } from "./pasted";
import { useGrow } from "./useGrow";
import { type SubmitDeps, useSubmit } from "./useSubmit";

interface Props extends SubmitDeps {
  conversationId: string | undefined;
  /** A turn or a cell of this conversation runs. */
  running: boolean;
  /** What its kernel runs, where that is not Python. */
  language?: string | undefined;
  onStop: () => void;
  onFiles: (files: File[]) => void;
  area: RefObject<HTMLTextAreaElement | null>;
}

export function Composer(props: Props) {
  const { conversationId, running, language, onStop, onFiles, area, ...deps } = props;
  const words = useWords();
  const hint = useId();
  const key = conversationId ?? NEW;
  const draft = useDraft(key);
  const code = language === undefined ? words.composer : words.composer.otherLanguage;
  const { sending, submit } = useSubmit(key, deps);
  useGrow(area, draft.text);
  const blocked = running && !draft.code;
  const waits = blocked && draft.text.trim() !== "";
  const ready = draft.text.trim() !== "" && !sending && !blocked;

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (composing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (ready) submit();
    } else if (event.key === "Escape" && running) {
      event.preventDefault();
      onStop();
    }
  }

  function onPaste(event: ClipboardEvent): void {
    const files = [...event.clipboardData.files];
    if (files.length === 0 || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    onFiles(named(files, conversationId));
  }

  return (
    <div className="px-4 pb-3">
      <form
        className="mx-auto max-w-(--column) rounded-xl border border-line-strong bg-raised shadow-m transition-colors focus-within:border-accent"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) submit();
        }}
      >
        <DraftFiles conversationId={conversationId} />
        <textarea
          ref={area}
          id="composer"
          rows={1}
          value={draft.text}
          onChange={(event) => changeDraft(key, { text: event.target.value })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          aria-label={words.composer.label}
          aria-describedby={hint}
          placeholder={draft.code ? code.codePlaceholder : words.composer.placeholder}
          autoComplete="off"
          spellCheck={!draft.code}
          enterKeyHint="send"
          className={`scroller block max-h-[min(40vh,22rem)] w-full resize-none bg-transparent px-4.5 pt-3.5 pb-1 outline-none placeholder:text-faint ${draft.code ? "font-mono text-base sm:text-sm" : "text-base"}`}
        />
        <div className="flex items-center gap-1 p-2">
          <PickFiles onFiles={onFiles} />
          <CodeToggle
            words={code}
            code={draft.code}
            onChange={(code) => changeDraft(key, { code })}
          />
          <span className="min-w-0 flex-1 truncate px-2 text-right text-[13px] text-muted">
            {sending ? words.composer.uploading : waits && words.composer.busy}
          </span>
          {running && <StopButton onStop={onStop} />}
          {!blocked && <SendButton code={draft.code} ready={ready} sending={sending} />}
        </div>
      </form>
      <p
        id={hint}
        className="mx-auto mt-2 max-w-(--column) truncate text-center text-xs text-faint"
      >
        {draft.code ? words.composer.codeHint : words.composer.hint}
      </p>
    </div>
  );
}

const ROUND =
  "touch inline-flex size-9 shrink-0 items-center justify-center rounded-full transition-colors";

function SendButton({ code, ready, sending }: { code: boolean; ready: boolean; sending: boolean }) {
  const words = useWords();
  const label = code ? words.composer.run : words.composer.send;
  return (
    <Tip label={label} keys="Enter" side="top">
      <button
        type="submit"
        aria-label={label}
        aria-disabled={!ready}
        className={`${ROUND} ${ready ? "bg-accent text-on-accent hover:bg-accent-hover" : "bg-active text-muted"}`}
      >
        {sending ? (
          <Spinner size={18} />
        ) : code ? (
          <Play size={17} aria-hidden />
        ) : (
          <ArrowUp size={19} aria-hidden />
        )}
      </button>
    </Tip>
  );
}

function StopButton({ onStop }: { onStop: () => void }) {
  const words = useWords();
  return (
    <Tip label={words.composer.stop} keys="Esc" side="top">
      <button
        type="button"
        aria-label={words.composer.stop}
        onClick={onStop}
        className={`${ROUND} bg-fg text-bg hover:opacity-85`}
      >
        <Square size={14} fill="currentColor" aria-hidden />
      </button>
    </Tip>
  );
}

function PickFiles({ onFiles }: { onFiles: (files: File[]) => void }) {
  const words = useWords();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="attach"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
      <IconButton
        label={words.composer.attach}
        side="top"
        round
        onClick={() => input.current?.click()}
      >
        <Paperclip size={18} aria-hidden />
      </IconButton>
    </>
  );
}

interface ToggleProps {
  words: { codeMode: string; codeModeHint: string };
  code: boolean;
  onChange: (code: boolean) => void;
}

function CodeToggle({ words, code, onChange }: ToggleProps) {
  return (
    <Tip label={words.codeModeHint} side="top">
      <button
        type="button"
        aria-pressed={code}
        onClick={() => onChange(!code)}
        className={`touch inline-flex h-9 shrink-0 items-center gap-1.5 rounded-full px-3 text-[13px] transition-colors ${code ? "bg-accent-soft font-medium text-accent" : "text-muted hover:bg-hover hover:text-fg"}`}
      >
        <SquareTerminal size={17} aria-hidden />
        {words.codeMode}
      </button>
    </Tip>
  );
}
