/** Above the message box: variables that are gone with their kernel, and how they come back. */
import { RotateCcw, X } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import type { Transcript } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { IconButton } from "../../ui/IconButton";
import { reportError } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";

interface Props {
  transcript: Transcript;
  onRestore: () => void;
}

const LOOK =
  "mx-auto flex w-full max-w-(--column) items-center gap-2.5 rounded-md border border-line bg-sunken px-3 py-1.5 text-[13px] text-muted";

export function VariablesStrip({ transcript, onRestore }: Props) {
  const words = useWords();
  const [dismissed, setDismissed] = useState<string>();
  const { id, replay, kernel } = transcript;
  if (replay && replay.purpose !== "proof") {
    return (
      <div className="px-4 pb-2" role="status">
        <div className={LOOK}>
          <Spinner />
          <span className="min-w-0 flex-1 truncate">
            {words.replay.restoring(replay.done, replay.total)}
          </span>
          <Button small onClick={() => void api.stopReplay(id).catch(reportError)}>
            {words.composer.stop}
          </Button>
        </div>
      </div>
    );
  }
  // Who closed the line does not see it again for the same kernel.
  const name = `${id}/${kernel.kernel_id ?? ""}`;
  if (!variablesAreGone(transcript) || dismissed === name) return null;
  return (
    <div className="px-4 pb-2">
      <div className={LOOK}>
        <span className="min-w-0 flex-1">{words.replay.gone}</span>
        <Button small onClick={onRestore}>
          <RotateCcw size={14} aria-hidden />
          {words.replay.restore}
        </Button>
        <IconButton small label={words.common.dismiss} onClick={() => setDismissed(name)}>
          <X size={15} aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}

/** Cells ran, and none of them in the kernel that is there now. */
export function variablesAreGone({ kernel, turns }: Transcript): boolean {
  if (kernel.used === true || kernel.state === "busy") return false;
  if (kernel.state === "starting" || kernel.state === "restarting") return false;
  const busy = turns.some(
    (turn) =>
      turn.status === "running" ||
      turn.parts.some((part) => part.type === "cell" && part.status === "running"),
  );
  if (busy) return false;
  return turns.some((turn) =>
    turn.parts.some((part) => part.type === "cell" && part.status === "ok"),
  );
}
