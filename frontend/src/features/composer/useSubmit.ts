/** Sends the draft once its files have arrived; on any failure the draft stays as it is. */
import { useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { changeDraft, draftOf } from "../../lib/drafts";
import { uploads } from "../../lib/uploads";
import { reportError } from "../../ui/report";
import { toast } from "../../ui/Toast";

export interface SubmitDeps {
  /** The conversation's id; makes the conversation if it does not exist yet. */
  ensure: () => Promise<string>;
  /** The model to ask, undefined for the server's default. */
  model: string | undefined;
  onSent: () => void;
}

export function useSubmit(key: string, { ensure, model, onSent }: SubmitDeps) {
  const words = useWords();
  const [sending, setSending] = useState<string>();

  async function send(): Promise<void> {
    const id = await ensure();
    setSending(id);
    if (!(await uploads.draftSettled(id))) {
      toast({ text: words.composer.uploadFailed, bad: true });
      return;
    }
    const { text, code } = draftOf(id);
    if (code) {
      await api.runCell(id, { code: text });
      changeDraft(id, { text: "" });
    } else {
      const attachments = attached(id);
      await api.ask(id, {
        prompt: text.trim(),
        ...(model !== undefined && { model }),
        ...(attachments.length > 0 && { attachments }),
      });
      changeDraft(id, { text: "" });
      uploads.clearDraft(id);
    }
    onSent();
  }

  return {
    sending: sending === key,
    submit: () => {
      setSending(key);
      void send()
        .catch(reportError)
        .finally(() => setSending(undefined));
    },
  };
}

function attached(conversationId: string): { path: string }[] {
  return uploads.useUploads
    .getState()
    .items.flatMap((item) =>
      item.attached && item.conversationId === conversationId && item.path !== undefined
        ? [{ path: item.path }]
        : [],
    );
}
