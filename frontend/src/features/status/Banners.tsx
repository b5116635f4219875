/** What stands in the way of working, with the mend: one banner for each, none if all is well. */
import { RotateCw } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { useConnection } from "../../lib/live";
import type { KernelInfo } from "../../protocol/generated";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";

/** A reconnect that takes no longer than this is nobody's concern. */
const UNNOTICED_MS = 1_500;

interface Props {
  kernel: KernelInfo | undefined;
  /** The server was asked and has no model to offer. */
  noModel: boolean;
  /** What mends a kernel that cannot start, if something here does. */
  mend?: ReactNode;
  onRestart: () => void;
}

export function Banners({ kernel, noModel, mend, onRestart }: Props) {
  const words = useWords();
  const offline = useOffline();
  const dead = kernel?.state === "dead" && kernel.reason !== undefined ? kernel : undefined;
  if (!offline && !noModel && dead === undefined) return null;
  return (
    <div className="flex flex-col gap-2 px-4 pb-3">
      {offline && <Banner alert title={words.status.offline} hint={words.status.offlineHint} />}
      {noModel && <Banner alert title={words.status.noModel} hint={words.status.noModelHint} />}
      {dead && (
        <Banner
          bad
          alert
          title={words.kernel.cannotRun}
          detail={dead.reason}
          hint={dead.hint ?? words.kernel.cannotRunHint}
        >
          {mend}
          <Button small onClick={onRestart}>
            <RotateCw size={14} aria-hidden />
            {words.kernel.restart}
          </Button>
        </Banner>
      )}
    </div>
  );
}

function useOffline(): boolean {
  const since = useConnection((connection) => connection.since);
  const [noticed, setNoticed] = useState<number>();
  useEffect(() => {
    if (since === undefined) return;
    const timer = setTimeout(
      () => setNoticed(since),
      Math.max(0, since + UNNOTICED_MS - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [since]);
  return since !== undefined && noticed === since;
}
