/** Answers a cell that called `input()` or `getpass()`. */
import { useId, useLayoutEffect, useRef, useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import type { InputPrompt } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { formText } from "../../ui/formText";
import { reportError } from "../../ui/report";

interface Props {
  prompt: InputPrompt;
  conversationId: string;
  cellId: string;
}

export function InputBox({ prompt, conversationId, cellId }: Props) {
  const words = useWords();
  const field = useId();
  const input = useRef<HTMLInputElement>(null);
  const [sending, setSending] = useState(false);
  useLayoutEffect(() => {
    const { current: box } = input;
    if (!isWritingElsewhere()) box?.focus({ preventScroll: true });
    return () => {
      // The field goes; who typed in it goes on in the message box.
      if (document.activeElement === box) document.getElementById("composer")?.focus();
    };
  }, []);

  function reply(form: HTMLFormElement): void {
    if (sending) return;
    setSending(true);
    api
      .replyInput(conversationId, cellId, formText(form, "text"))
      .then(() => form.reset(), reportError)
      .finally(() => setSending(false));
  }

  return (
    <form
      className="flex flex-wrap items-center gap-2 border-t border-line bg-accent-soft px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        reply(event.currentTarget);
      }}
    >
      <label htmlFor={field} className="font-mono text-[13px] whitespace-pre-wrap">
        {prompt.prompt.trim() === "" ? words.cell.inputLabel : prompt.prompt}
      </label>
      <input
        ref={input}
        id={field}
        name="text"
        type={prompt.password ? "password" : "text"}
        autoComplete="off"
        spellCheck={false}
        className="h-8 min-w-40 flex-1 rounded-sm border border-line-strong bg-bg px-2.5 font-mono text-base sm:text-[13px]"
      />
      <Button small look="primary" type="submit">
        {words.cell.inputSend}
      </Button>
    </form>
  );
}

/** Whether the focus is in a field that already holds something: it is not taken away. */
function isWritingElsewhere(): boolean {
  const { activeElement: at } = document;
  const field = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement;
  return field && at.value !== "";
}
