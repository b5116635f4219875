/** The kernel's light: its state, why, how well it is caged, and how to get it going again. */
import { Boxes, History, PackagePlus, RotateCw, Square } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useWords, type Words } from "../../i18n";
import { api, type KernelAction } from "../../lib/api";
import { useKernels } from "../../lib/lists";
import type { KernelInfo, Transcript } from "../../protocol/generated";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Menu, MenuItem, MenuLabel, MenuLine, MenuNote } from "../../ui/Menu";
import { reportError } from "../../ui/report";
import { environmentName } from "./environment";

const EnvironmentDialog = lazy(async () => ({
  default: (await import("./EnvironmentDialog")).EnvironmentDialog,
}));

const PackagesDialog = lazy(async () => ({
  default: (await import("./PackagesDialog")).PackagesDialog,
}));

const LIGHTS: Record<KernelInfo["state"], string> = {
  starting: "bg-warn pulse",
  restarting: "bg-warn pulse",
  idle: "bg-ok",
  busy: "bg-accent pulse",
  dead: "bg-danger",
  parked: "border-2 border-line-strong",
};

interface Props {
  transcript: Transcript;
  /** Runs the cells again for their variables; absent while there are none. */
  onRestore?: (() => void) | undefined;
}

export function KernelMenu({ transcript, onRestore }: Props) {
  const { kernel, id: conversationId } = transcript;
  const words = useWords();
  const rows = useKernels().data;
  const [choosing, setChoosing] = useState(false);
  const [asking, setAsking] = useState(false);
  const [installing, setInstalling] = useState(false);
  const act = (action: KernelAction) => void api.kernel(conversationId, action).catch(reportError);
  const state = words.kernel[kernel.state];
  return (
    <>
      <Menu
        className="w-72"
        trigger={
          <button
            type="button"
            aria-label={`${words.kernel.label}: ${state}`}
            title={kernel.reason}
            data-kernel={kernel.state}
            className="touch inline-flex h-9 items-center gap-2 rounded-md px-2.5 text-[13px] text-muted transition-colors hover:bg-hover hover:text-fg data-[state=open]:bg-hover"
          >
            <span className={`size-2.5 rounded-full ${LIGHTS[kernel.state]}`} aria-hidden />
            <span className="max-sm:sr-only">{state}</span>
          </button>
        }
      >
        <MenuLabel>{`${words.kernel.label}: ${state}`}</MenuLabel>
        {notes(kernel, words).map((note) => (
          <MenuNote key={note}>{note}</MenuNote>
        ))}
        <MenuLine />
        <MenuItem icon={<Boxes size={16} aria-hidden />} onSelect={() => setChoosing(true)}>
          <span className="block">{words.environment.choose}</span>
          <span className="block truncate text-[13px] text-muted" data-environment-name>
            {rows && environmentName(transcript, rows)}
          </span>
        </MenuItem>
        <MenuItem
          icon={<Square size={15} aria-hidden />}
          disabled={kernel.state !== "busy"}
          onSelect={() => act("interrupt")}
        >
          {words.kernel.interrupt}
        </MenuItem>
        <MenuItem icon={<RotateCw size={16} aria-hidden />} onSelect={() => setAsking(true)}>
          {words.kernel.restart}
        </MenuItem>
        {onRestore && (
          <MenuItem
            icon={<History size={16} aria-hidden />}
            disabled={kernel.state === "busy"}
            onSelect={onRestore}
          >
            {words.replay.restore}
          </MenuItem>
        )}
        {(transcript.language ?? "python") === "python" && (
          <MenuItem
            icon={<PackagePlus size={16} aria-hidden />}
            disabled={kernel.sandbox === "landlock"}
            onSelect={() => setInstalling(true)}
          >
            {words.packages.menu}
          </MenuItem>
        )}
      </Menu>
      {installing && (
        <Suspense>
          <PackagesDialog conversationId={conversationId} onClose={() => setInstalling(false)} />
        </Suspense>
      )}
      {choosing && (
        <Suspense>
          <EnvironmentDialog transcript={transcript} onClose={() => setChoosing(false)} />
        </Suspense>
      )}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => act("restart")}
        title={words.kernel.restartTitle}
        body={words.kernel.restartBody}
        action={words.kernel.restart}
      />
    </>
  );
}

function notes(kernel: KernelInfo, words: Words): string[] {
  return [
    kernel.reason,
    kernel.hint,
    kernel.state === "parked" ? words.kernel.parkedNote : undefined,
    words.sandbox.short[kernel.sandbox],
    kernel.network ? words.kernel.networkOn : words.kernel.networkOff,
  ].filter((note) => note !== undefined);
}
