/** What would mend a cell that failed for want of the network or of a package. */
import { Globe, PackagePlus } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { useTranscript } from "../../lib/live";
import type { CellPart } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { reportError } from "../../ui/report";
import { missingPackage } from "./offers";
import { PackagesDialog } from "./PackagesDialog";

interface Props {
  cell: CellPart;
  conversationId: string;
}

export function CellOffers({ cell, conversationId }: Props) {
  const missing = missingPackage(cell);
  const loaded = useTranscript(conversationId);
  if (loaded.state === "failed" || loaded.transcript === undefined) return null;
  const { kernel } = loaded.transcript;
  // Where it cannot be had, an offer would be refused.
  if (kernel.sandbox === "landlock") return null;
  return (
    <>
      {cell.refused_hosts && (
        <NetworkOffer
          cell={cell}
          hosts={cell.refused_hosts}
          allowed={kernel.network}
          conversationId={conversationId}
        />
      )}
      {missing !== undefined && <PackageOffer name={missing} conversationId={conversationId} />}
    </>
  );
}

interface NetworkProps extends Props {
  hosts: string[];
  allowed: boolean;
}

function NetworkOffer({ cell, hosts, allowed, conversationId }: NetworkProps) {
  const words = useWords();
  const [sending, setSending] = useState(false);
  const again = async () => {
    setSending(true);
    try {
      if (!allowed) await api.update(conversationId, { network: true });
      await api.runCell(conversationId, { code: cell.code, after_cell: cell.cell_id });
    } catch (error) {
      reportError(error);
    } finally {
      setSending(false);
    }
  };
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 border-t border-line bg-warn-soft px-4 py-2.5 text-sm">
      <p className="min-w-48 flex-1 [overflow-wrap:anywhere]">
        {words.network.wanted(hosts.join(words.network.comma))}
      </p>
      <Button small disabled={sending} onClick={() => void again()}>
        <Globe size={15} aria-hidden />
        {allowed ? words.network.runAgain : words.network.allowAndRun}
      </Button>
    </div>
  );
}

function PackageOffer({ name, conversationId }: { name: string; conversationId: string }) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  return (
    <div className="flex border-t border-line px-4 py-2.5">
      <Button small onClick={() => setOpen(true)}>
        <PackagePlus size={15} aria-hidden />
        {words.packages.offer(name)}
      </Button>
      {open && (
        <PackagesDialog
          conversationId={conversationId}
          value={name}
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  );
}
