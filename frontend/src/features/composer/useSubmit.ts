/** Sends the draft once its files have arrived; on any failure the draft stays as it is. */
import { useWords } from "../../i18n";
import { ApiError, api } from "../../lib/api";
import { changeDraft, clearSent, draftOf, NEW, useDraft } from "../../lib/drafts";
import { uploads } from "../../lib/uploads";
import { reportError } from "../../ui/report";
import { toast } from "../../ui/Toast";

export interface SubmitDeps {
  /** The conversation's id; makes the conversation if it does not exist yet. */
  ensure: () => Promise<string>;
  /** Takes a conversation away that was made in vain; answers where its draft is now. */
  discard: (id: string) => Promise<string>;
  /** The model to ask, undefined for the server's default. */
  model: string | undefined;
  onSent: () => void;
}

export function useSubmit(key: string, { ensure, discard, model, onSent }: SubmitDeps) {
  const words = useWords();
  const { sending = false } = useDraft(key);

  async function send(id: string): Promise<void> {
    if (!(await uploads.draftSettled(id))) {
      toast({ text: words.composer.uploadFailed, bad: true });
      return;
    }
    const { text, code } = draftOf(id);
    if (code) {
      await api.runCell(id, { code: text });
      clearSent(id, text);
    } else {
      const files = uploads.draftFiles(id);
      await api.ask(id, {
        prompt: text.trim(),
        ...(model !== undefined && { model }),
        ...(files.length > 0 && { attachments: files.map(({ path }) => ({ path })) }),
      });
      clearSent(id, text);
      uploads.clearSent(files);
    }
    onSent();
  }

  async function submit(): Promise<void> {
    let place = key;
    changeDraft(place, { sending: true });
    try {
      place = await ensure();
      await send(place);
    } catch (error) {
      reportError(error);
      if (key === NEW && place !== NEW && wasRefused(error)) place = await discard(place);
    } finally {
      changeDraft(place, { sending: false });
    }
  }

  return { sending, submit: () => void submit() };
}

/** The server has said no; without an answer it may have said yes. */
function wasRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400;
}
