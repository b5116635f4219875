/** Whether the conversation reproduces: its badge, what was found, and the way to find out. */
import { BadgeCheck, CircleStop, History, ListChecks, TriangleAlert } from "lucide-react";
import { useWords, type Words } from "../../i18n";
import { api } from "../../lib/api";
import type { Proof, ReplayProgress, Transcript } from "../../protocol/generated";
import { Menu, MenuItem, MenuLabel, MenuLine, MenuNote } from "../../ui/Menu";
import { reportError } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";

interface Props {
  transcript: Transcript;
  onShow: (cellId: string) => void;
}

export function ReplayMenu({ transcript, onShow }: Props) {
  const words = useWords();
  const { id, proof } = transcript;
  const running = transcript.replay?.purpose === "proof" ? transcript.replay : undefined;
  const cell = proof?.result.difference?.cell_id;
  const state = stateOf(running, proof, words);
  return (
    <Menu
      className="w-80"
      trigger={
        <button
          type="button"
          aria-label={`${words.replay.label}: ${state}`}
          data-proof={running ? "running" : (proof?.result.status ?? "none")}
          className="touch inline-flex h-9 shrink-0 items-center gap-1.5 rounded-md px-2 text-[13px] text-muted transition-colors hover:bg-hover hover:text-fg data-[state=open]:bg-hover"
        >
          <Sign running={running !== undefined} proof={proof} />
          {(running || proof) && <span className="max-sm:sr-only">{state}</span>}
        </button>
      }
    >
      <MenuLabel>{words.replay.title}</MenuLabel>
      <MenuNote>{words.replay.lead}</MenuNote>
      {proof && !running && <Result proof={proof} />}
      <MenuLine />
      {running ? (
        <MenuItem
          icon={<CircleStop size={16} aria-hidden />}
          onSelect={() => void api.stopReplay(id).catch(reportError)}
        >
          {words.replay.stop}
        </MenuItem>
      ) : (
        <MenuItem
          icon={<History size={16} aria-hidden />}
          disabled={transcript.replay !== undefined}
          onSelect={() => void api.replay(id).catch(reportError)}
        >
          {words.replay.start}
        </MenuItem>
      )}
      {cell !== undefined && !running && (
        <MenuItem icon={<ListChecks size={16} aria-hidden />} onSelect={() => onShow(cell)}>
          {words.replay.show}
        </MenuItem>
      )}
    </Menu>
  );
}

function stateOf(
  running: ReplayProgress | undefined,
  proof: Proof | undefined,
  words: Words,
): string {
  if (running) return words.replay.progress(running.done, running.total);
  if (proof === undefined) return words.replay.never;
  if (proof.stale) return words.replay.stale;
  const { difference } = proof.result;
  return difference === undefined ? words.replay.reproduces : words.replay.differs(difference.cell);
}

function Sign({ running, proof }: { running: boolean; proof: Proof | undefined }) {
  if (running) return <Spinner />;
  if (proof === undefined || proof.stale) return <History size={18} aria-hidden />;
  return proof.result.status === "reproduces" ? (
    <BadgeCheck size={18} className="text-ok" aria-hidden />
  ) : (
    <TriangleAlert size={17} className="text-warn" aria-hidden />
  );
}

function Result({ proof }: { proof: Proof }) {
  const words = useWords();
  const { difference, cells, skipped, python, packages, inputs } = proof.result;
  const facts = [
    words.replay.cells(cells),
    skipped !== undefined && words.replay.skipped(skipped),
    python !== undefined && `Python ${python}`,
    packages !== undefined && words.replay.packages(Object.keys(packages).length),
    inputs !== undefined && words.replay.inputs(inputs.length),
  ];
  return (
    <>
      <MenuLine />
      <MenuNote>
        <span className="font-medium text-fg">
          {difference ? words.replay.differs(difference.cell) : words.replay.reproduces}
        </span>
        {difference && ` · ${words.replay.kinds[difference.kind]}`}
        {proof.stale && <span className="block text-warn">{words.replay.staleNote}</span>}
      </MenuNote>
      {difference && (
        <MenuNote>
          <span className="block text-xs text-faint">{words.replay.expected}</span>
          <Quote text={difference.expected} />
          <span className="mt-1 block text-xs text-faint">{words.replay.found}</span>
          <Quote text={difference.found} />
        </MenuNote>
      )}
      <MenuNote>
        <span className="text-xs text-faint">{facts.filter(Boolean).join(" · ")}</span>
      </MenuNote>
    </>
  );
}

function Quote({ text }: { text: string }) {
  const words = useWords();
  return (
    <span className="line-clamp-3 font-mono text-xs text-fg [overflow-wrap:anywhere]">
      {text === "" ? words.replay.nothing : text}
    </span>
  );
}
