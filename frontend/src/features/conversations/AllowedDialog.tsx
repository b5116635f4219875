/** What is no longer asked about in a conversation, and how to be asked again. */
import { useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { kindText } from "../../i18n/reasons";
import { api } from "../../lib/api";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { reportError } from "../../ui/report";

interface Props {
  id: string;
  onClose: () => void;
}

export function AllowedDialog({ id, onClose }: Props) {
  const words = useWords();
  const [allowed, setAllowed] = useAllowed(id);
  const askAgain = (kind: string) => {
    const rest = (allowed ?? []).filter((one) => one !== kind);
    void api.update(id, { allowed: rest }).then(() => setAllowed(rest), reportError);
  };
  return (
    <Dialog open onClose={onClose} title={words.approval.allowed} lead={words.approval.allowedLead}>
      {allowed?.length === 0 && <p className="text-sm text-muted">{words.approval.allowedNone}</p>}
      <ul className="flex flex-col divide-y divide-line">
        {allowed?.map((kind) => (
          <li key={kind} className="flex items-center gap-3 py-2 text-sm">
            <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
              {kindText(kind, words) ?? kind}
              {kind.startsWith("tool:") && (
                <code className="ml-1.5 font-mono text-[13px] text-muted">{kind.slice(5)}</code>
              )}
            </span>
            <Button small onClick={() => askAgain(kind)}>
              {words.approval.askAgain}
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

/** What is allowed now; undefined until it is known. */
function useAllowed(id: string): [string[] | undefined, (allowed: string[]) => void] {
  const [allowed, setAllowed] = useState<string[]>();
  useEffect(() => {
    let gone = false;
    api
      .transcript(id)
      .then((transcript) => !gone && setAllowed(transcript.allowed ?? []))
      .catch(reportError);
    return () => {
      gone = true;
    };
  }, [id]);
  return [allowed, setAllowed];
}
