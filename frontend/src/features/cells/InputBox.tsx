/** Answers a cell that called `input()` or `getpass()`. */
import { useId } from "react";
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
  return (
    <form
      className="flex flex-wrap items-center gap-2 border-t border-line bg-accent-soft px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const text = formText(form, "text");
        api.replyInput(conversationId, cellId, text).then(() => form.reset(), reportError);
      }}
    >
      <label htmlFor={field} className="font-mono text-[13px] whitespace-pre-wrap">
        {prompt.prompt.trim() === "" ? words.cell.inputLabel : prompt.prompt}
      </label>
      <input
        id={field}
        name="text"
        type={prompt.password ? "password" : "text"}
        autoComplete="off"
        spellCheck={false}
        autoFocus
        className="h-8 min-w-40 flex-1 rounded-sm border border-line-strong bg-bg px-2.5 font-mono text-base sm:text-[13px]"
      />
      <Button small look="primary" type="submit">
        {words.cell.inputSend}
      </Button>
    </form>
  );
}
