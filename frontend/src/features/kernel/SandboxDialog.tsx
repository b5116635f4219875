/** What code can reach at the level it runs at, why that is the level, and the question where asked. */
import { Check, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useWords } from "../../i18n";
import { api, type SandboxInfo } from "../../lib/api";
import { settings } from "../../lib/lists";
import type { KernelInfo } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/CopyButton";
import { Dialog } from "../../ui/Dialog";
import { reportError } from "../../ui/report";

interface Props {
  level: KernelInfo["sandbox"];
  sandbox: SandboxInfo | undefined;
  onAgreed: () => void;
  onClose: () => void;
}

export function SandboxDialog({ level, sandbox, onAgreed, onClose }: Props) {
  const words = useWords();
  const [sending, setSending] = useState(false);
  const told = words.sandbox[level];
  const asks = sandbox?.asks === true;
  const answer = async (agreed: boolean) => {
    setSending(true);
    try {
      await api.changeSettings({ sandbox_consent: agreed });
      settings.invalidate();
      if (agreed) onAgreed();
      onClose();
    } catch (error) {
      setSending(false);
      reportError(error);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={asks ? words.sandbox.question : told.title}
      lead={asks ? words.sandbox.questionLead : told.lead}
    >
      <Reach title={words.sandbox.can} texts={told.can} icon={<Check size={16} aria-hidden />} />
      <Reach title={words.sandbox.cannot} texts={told.cannot} icon={<X size={16} aria-hidden />} />
      {asks && (
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{words.sandbox.notNow}</Button>
          <Button look="danger" disabled={sending} onClick={() => void answer(true)}>
            {words.sandbox.agree}
          </Button>
        </div>
      )}
      {sandbox?.agreed && (
        <div className="flex justify-end">
          <Button disabled={sending} onClick={() => void answer(false)}>
            {words.sandbox.withdraw}
          </Button>
        </div>
      )}
      {sandbox?.why && (
        <div className="rounded-md bg-side p-3 text-[13px] text-muted">
          <p className="break-words">{sandbox.why}</p>
          {sandbox.mend && (
            <div className="mt-2 flex items-start gap-2">
              <code className="py-1 min-w-0 flex-1 break-words text-fg">{sandbox.mend}</code>
              <CopyButton text={() => sandbox.mend ?? ""} label={words.sandbox.copy} />
            </div>
          )}
          <p className="mt-2">{words.sandbox.mendNote}</p>
        </div>
      )}
    </Dialog>
  );
}

function Reach({ title, texts, icon }: { title: string; texts: string[]; icon: ReactNode }) {
  if (texts.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 text-[13px] font-medium text-muted">{title}</h3>
      <ul className="flex flex-col gap-1.5 text-sm">
        {texts.map((text) => (
          <li key={text} className="flex gap-2">
            <span className="mt-0.5 shrink-0 text-muted">{icon}</span>
            <span className="min-w-0">{text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
