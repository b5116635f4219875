/** The switch of a conversation's network, and the servers that its code talked to. */
import { useState } from "react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { api } from "../../lib/api";
import { useSettings } from "../../lib/lists";
import type { NetworkHost, Transcript } from "../../protocol/generated";
import { Dialog } from "../../ui/Dialog";
import { reportError } from "../../ui/report";
import { Switch } from "../../ui/Switch";
import { hasNetwork } from "./network";

interface Props {
  transcript: Transcript;
  onClose: () => void;
}

export function NetworkDialog({ transcript, onClose }: Props) {
  const words = useWords();
  const level = useSettings().data?.sandbox?.level ?? transcript.kernel.sandbox;
  const [sending, setSending] = useState(false);
  const change = async (network: boolean) => {
    setSending(true);
    await api.update(transcript.id, { network }).catch(reportError);
    setSending(false);
  };
  return (
    <Dialog open onClose={onClose} title={words.network.title}>
      <Switch
        label={words.network.allow}
        detail={words.network.detail[level]}
        on={level === "none" || hasNetwork(transcript)}
        disabled={sending || level !== "bwrap"}
        onChange={(on) => void change(on)}
      />
      {level !== "none" && <Hosts hosts={transcript.hosts ?? []} />}
    </Dialog>
  );
}

function Hosts({ hosts }: { hosts: readonly NetworkHost[] }) {
  const words = useWords();
  return (
    <section className="border-t border-line pt-3">
      <h3 className="mb-1.5 text-[13px] font-medium text-muted">{words.network.hosts}</h3>
      {hosts.length === 0 ? (
        <p className="text-sm text-muted">{words.network.none}</p>
      ) : (
        <ul className="flex flex-col divide-y divide-line">
          {hosts.map((host) => (
            <Host key={host.host} host={host} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Host({ host }: { host: NetworkHost }) {
  const words = useWords();
  const size = (bytes: number) => fileSize(bytes, words.time.locale);
  return (
    <li className="py-1.5 text-sm">
      <p className="font-mono text-[13px] [overflow-wrap:anywhere]">
        {host.host === "*" ? words.network.others : host.host}
      </p>
      <p className="text-[13px] text-muted">
        {[
          host.requests > 0 && words.network.requests(host.requests),
          host.requests > 0 && words.network.bytes(size(host.sent), size(host.received)),
          host.refused > 0 && words.network.refused(host.refused),
        ]
          .filter((text) => text !== false)
          .join(" · ")}
      </p>
    </li>
  );
}
