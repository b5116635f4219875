/** A hint that text in data speaks to the model; what was found is said on demand. */
import { MessageSquareWarning } from "lucide-react";
import { useWords } from "../i18n";
import { Tip } from "./Tip";

export function InstructionMark({ found }: { found: string }) {
  const { speaks, speaksMore } = useWords().outputs;
  return (
    <Tip label={speaksMore(found)} side="top">
      <button
        type="button"
        className="inline-flex w-fit max-w-full items-center gap-1.5 rounded-sm bg-warn-soft px-2 py-0.5 text-start text-[13px] text-warn"
      >
        <MessageSquareWarning size={14} className="shrink-0" aria-hidden />
        {speaks}
      </button>
    </Tip>
  );
}
