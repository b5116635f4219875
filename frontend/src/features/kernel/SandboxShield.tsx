/** Which cage code runs in, always to be seen; a click explains it, and asks where there is none. */
import { Shield, ShieldAlert, ShieldCheck } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useWords } from "../../i18n";
import { useSettings } from "../../lib/lists";
import type { KernelInfo } from "../../protocol/generated";
import { IconButton } from "../../ui/IconButton";

const SandboxDialog = lazy(async () => ({
  default: (await import("./SandboxDialog")).SandboxDialog,
}));

const LIVES: readonly KernelInfo["state"][] = ["starting", "idle", "busy", "restarting"];

interface Props {
  kernel: KernelInfo | undefined;
  /** After the person agreed: what could not start may start now. */
  onAgreed: () => void;
}

export function SandboxShield({ kernel, onAgreed }: Props) {
  const words = useWords();
  const sandbox = useSettings().data?.sandbox;
  const [open, setOpen] = useState(false);
  const [answered, setAnswered] = useState(false);
  const running = kernel !== undefined && LIVES.includes(kernel.state) ? kernel.sandbox : undefined;
  const level = running ?? sandbox?.level;
  if (level === undefined) return null;
  const asks = sandbox?.asks === true;
  const close = () => {
    setOpen(false);
    setAnswered(true);
  };
  const Icon = level === "none" ? ShieldAlert : level === "bwrap" ? ShieldCheck : Shield;
  return (
    <>
      <IconButton
        label={asks ? words.sandbox.asks : words.sandbox.short[level]}
        data-sandbox={asks ? "ask" : level}
        onClick={() => setOpen(true)}
        className={level === "none" ? "text-warn" : "text-ok"}
      >
        <Icon size={18} aria-hidden />
      </IconButton>
      {(open || (asks && !answered)) && (
        <Suspense>
          <SandboxDialog level={level} sandbox={sandbox} onAgreed={onAgreed} onClose={close} />
        </Suspense>
      )}
    </>
  );
}
