/** Runs the command that installs what an interpreter lacks, after a click, and shows its output. */
import { useState } from "react";
import { useWords } from "../../i18n";
import { api, type Mended } from "../../lib/api";
import { kernels } from "../../lib/lists";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { reportError } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";

interface Props {
  conversationId: string;
  name: string;
  command: string | undefined;
  onClose: () => void;
}

export function InstallDialog({ conversationId, name, command, onClose }: Props) {
  const words = useWords();
  const [state, setState] = useState<"asking" | "running" | Mended>("asking");
  const run = async () => {
    setState("running");
    try {
      setState(await api.installKernel(conversationId));
      kernels.invalidate();
    } catch (error) {
      setState("asking");
      reportError(error);
    }
  };
  const done = typeof state === "object" ? state : undefined;
  return (
    <Dialog
      open
      onClose={onClose}
      title={words.environment.install(name)}
      lead={words.environment.installLead}
      wide={done !== undefined}
    >
      <pre className="overflow-x-auto rounded-md bg-code p-3 font-mono text-[13px] whitespace-pre-wrap [overflow-wrap:anywhere]">
        <code>{done?.command ?? command}</code>
      </pre>
      {done && (
        <>
          <p role="status" className={`text-sm ${done.ok ? "text-ok" : "text-danger"}`}>
            {done.ok ? words.environment.installed : words.environment.notInstalled}
          </p>
          <pre
            tabIndex={0}
            aria-label={words.environment.output}
            role="region"
            className="max-h-[40vh] overflow-auto rounded-md bg-code p-3 font-mono text-[13px] whitespace-pre-wrap [overflow-wrap:anywhere]"
          >
            {done.output}
          </pre>
        </>
      )}
      <div className="flex items-center justify-end gap-2">
        {state === "running" && (
          <span role="status" className="flex flex-1 items-center gap-2 text-sm text-muted">
            <Spinner />
            {words.environment.installing}
          </span>
        )}
        <Button onClick={onClose}>{words.common.close}</Button>
        {!done?.ok && (
          <Button look="primary" disabled={state === "running"} onClick={() => void run()}>
            {words.environment.run}
          </Button>
        )}
      </div>
    </Dialog>
  );
}
