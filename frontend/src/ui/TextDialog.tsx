/** Asks for one line of text. */
import { useId } from "react";
import { useWords } from "../i18n";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { formText } from "./formText";

interface Props {
  open: boolean;
  onClose: () => void;
  onSave: (text: string) => void;
  title: string;
  label: string;
  action: string;
  lead?: string;
  value?: string;
}

export function TextDialog({
  open,
  onClose,
  onSave,
  title,
  lead,
  label,
  action,
  value = "",
}: Props) {
  const words = useWords();
  const field = useId();
  return (
    <Dialog open={open} onClose={onClose} title={title} {...(lead !== undefined && { lead })}>
      <form
        className="flex flex-col gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          const text = formText(event.currentTarget, "text").trim();
          if (text !== "") onSave(text);
          onClose();
        }}
      >
        <label htmlFor={field} className="text-sm text-muted">
          {label}
        </label>
        <input
          id={field}
          name="text"
          defaultValue={value}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          onFocus={(event) => event.currentTarget.select()}
          className="h-10 rounded-md border border-line-strong bg-bg px-3 text-base sm:text-sm"
        />
        <div className="mt-3 flex justify-end gap-2">
          <Button onClick={onClose}>{words.common.cancel}</Button>
          <Button type="submit" look="primary">
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
