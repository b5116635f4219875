/** An earlier question being changed; asking it again begins a branch. */
import { useState } from "react";
import { useWords } from "../../i18n";
import { Button } from "../../ui/Button";

interface Props {
  text: string;
  /** Rejects when no branch could be begun; the text stays then. */
  onAsk: (text: string) => Promise<void>;
  onLeave: () => void;
}

export function PromptEditor({ text, onAsk, onLeave }: Props) {
  const words = useWords();
  const [draft, setDraft] = useState(text);
  const [busy, setBusy] = useState(false);
  const ask = () => {
    if (busy || draft.trim() === "") return;
    setBusy(true);
    onAsk(draft)
      .catch(() => {})
      .finally(() => setBusy(false));
  };
  return (
    <div className="w-full max-w-[36rem] rounded-lg border border-accent bg-raised p-2.5">
      <textarea
        autoFocus
        value={draft}
        aria-label={words.branch.edit}
        rows={Math.min(12, Math.max(2, draft.split("\n").length))}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            // Who leaves the text does not stop an answer as well.
            event.preventDefault();
            onLeave();
          }
          const sends = event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing;
          if (!sends) return;
          event.preventDefault();
          ask();
        }}
        className="own-direction block w-full resize-y bg-transparent px-1.5 py-1 text-base outline-none"
      />
      <div className="flex flex-wrap items-center justify-end gap-2 pt-1.5">
        <span className="mr-auto px-1.5 text-xs text-faint">{words.branch.note}</span>
        <Button small onClick={onLeave}>
          {words.common.cancel}
        </Button>
        <Button small look="primary" disabled={busy} onClick={ask}>
          {words.branch.ask}
        </Button>
      </div>
    </div>
  );
}
