/** Whether code reaches the network, beside the shield; a click shows where it went, and switches. */
import { Globe, GlobeOff } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useWords } from "../../i18n";
import type { Transcript } from "../../protocol/generated";
import { IconButton } from "../../ui/IconButton";
import { hasNetwork } from "./network";

const NetworkDialog = lazy(async () => ({
  default: (await import("./NetworkDialog")).NetworkDialog,
}));

export function NetworkButton({ transcript }: { transcript: Transcript }) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const on = hasNetwork(transcript);
  const Icon = on ? Globe : GlobeOff;
  return (
    <>
      <IconButton
        label={on ? words.network.on : words.network.off}
        data-network={on ? "on" : "off"}
        onClick={() => setOpen(true)}
        className={on ? "text-warn" : ""}
      >
        <Icon size={18} aria-hidden />
      </IconButton>
      {open && (
        <Suspense>
          <NetworkDialog transcript={transcript} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
