/** The house rules of one conversation: what its models are told beside the question. */
import { useEffect, useId, useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { formText } from "../../ui/formText";
import { reportError } from "../../ui/report";

interface Props {
  id: string;
  onClose: () => void;
}

export function RulesDialog({ id, onClose }: Props) {
  const words = useWords();
  const field = useId();
  const rules = useRules(id);
  return (
    <Dialog open onClose={onClose} title={words.sidebar.rules}>
      <form
        className="flex flex-col gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          const text = formText(event.currentTarget, "rules").trim();
          void api.update(id, { rules: text }).catch(reportError);
          onClose();
        }}
      >
        <label htmlFor={field} className="text-sm text-muted">
          {words.sidebar.rulesLabel}
        </label>
        <textarea
          // Filled once they are there.
          key={rules === undefined ? "loading" : "loaded"}
          id={field}
          name="rules"
          rows={7}
          maxLength={20_000}
          disabled={rules === undefined}
          defaultValue={rules}
          className="rounded-md border border-line-strong bg-bg px-3 py-2 text-base sm:text-sm"
        />
        <div className="mt-3 flex justify-end gap-2">
          <Button onClick={onClose}>{words.common.cancel}</Button>
          <Button type="submit" look="primary" disabled={rules === undefined}>
            {words.common.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The rules as they are now; undefined until they are known. */
function useRules(id: string): string | undefined {
  const [rules, setRules] = useState<string>();
  useEffect(() => {
    let gone = false;
    api
      .transcript(id)
      .then((transcript) => !gone && setRules(transcript.rules ?? ""))
      .catch(reportError);
    return () => {
      gone = true;
    };
  }, [id]);
  return rules;
}
