/** What the conversation's code runs in: the environments and kernels that were found, or a path. */
import { Check } from "lucide-react";
import { useId, useState } from "react";
import { useWords, type Words } from "../../i18n";
import { api, type KernelChoice } from "../../lib/api";
import { kernels, useKernels } from "../../lib/lists";
import type { Transcript } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { formText } from "../../ui/formText";
import { reportError } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";
import { environmentOf } from "./environment";

interface Props {
  transcript: Transcript;
  onClose: () => void;
}

export function EnvironmentDialog({ transcript, onClose }: Props) {
  const words = useWords();
  const rows = useKernels().data;
  const [sending, setSending] = useState(false);
  const current = rows && environmentOf(transcript, rows);
  const choose = async (choice: { kernel?: string; python?: string }) => {
    setSending(true);
    try {
      await api.update(transcript.id, { kernel: "", python: "", ...choice });
      kernels.invalidate();
      onClose();
    } catch (error) {
      setSending(false);
      reportError(error);
    }
  };
  const pythons = rows?.filter((row) => row.name === null);
  const specs = rows?.filter((row) => row.name !== null);
  return (
    <Dialog open onClose={onClose} title={words.environment.title} lead={words.environment.lead}>
      {rows === undefined ? (
        <Spinner />
      ) : (
        <>
          <Rows
            title={words.environment.pythons}
            rows={pythons ?? []}
            current={current}
            disabled={sending}
            onChoose={(row) => void choose(row.default ? {} : { python: row.python ?? "" })}
          />
          <Rows
            title={words.environment.kernels}
            rows={specs ?? []}
            current={current}
            disabled={sending}
            onChoose={(row) => void choose(row.default ? {} : { kernel: row.name ?? "" })}
          />
        </>
      )}
      <OtherPython disabled={sending} onChoose={(python) => void choose({ python })} />
    </Dialog>
  );
}

interface RowsProps {
  title: string;
  rows: readonly KernelChoice[];
  current: KernelChoice | undefined;
  disabled: boolean;
  onChoose: (row: KernelChoice) => void;
}

function Rows({ title, rows, current, disabled, onChoose }: RowsProps) {
  const words = useWords();
  const heading = useId();
  if (rows.length === 0) return null;
  return (
    <section aria-labelledby={heading}>
      <h3 id={heading} className="mb-1 text-[13px] font-medium text-muted">
        {title}
      </h3>
      <ul className="flex flex-col">
        {rows.map((row) => (
          <li key={row.name ?? row.python}>
            <button
              type="button"
              disabled={disabled}
              aria-current={row === current ? "true" : undefined}
              data-environment={row.name ?? row.python}
              onClick={() => onChoose(row)}
              className="touch flex w-full items-center gap-3 rounded-md px-2 py-2 text-left transition-colors hover:bg-hover disabled:opacity-60"
            >
              <span className="w-4 shrink-0 text-accent">
                {row === current && <Check size={16} aria-hidden />}
              </span>
              <span className="min-w-0 flex-1">
                <span className="block text-sm [overflow-wrap:anywhere]">{nameOf(row)}</span>
                <span className="block text-[13px] text-muted">{notesOn(row, words)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function nameOf(row: KernelChoice): string {
  return row.name === null ? (row.python ?? row.display_name) : row.display_name;
}

function notesOn(row: KernelChoice, words: Words): string {
  return [
    row.name === null ? row.origin && words.environment.origins[row.origin] : row.name,
    row.name === null ? undefined : row.language,
    row.default && row.origin !== "default" ? words.environment.origins.default : undefined,
    row.ready === false ? words.environment.notReady : undefined,
  ]
    .filter((note) => note !== undefined && note !== "")
    .join(" · ");
}

function OtherPython({
  disabled,
  onChoose,
}: {
  disabled: boolean;
  onChoose: (python: string) => void;
}) {
  const words = useWords();
  const field = useId();
  return (
    <form
      className="flex flex-col gap-1.5 border-t border-line pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        const path = formText(event.currentTarget, "path").trim();
        if (path !== "") onChoose(path);
      }}
    >
      <label htmlFor={field} className="text-sm">
        {words.environment.other}
      </label>
      <div className="flex gap-2">
        <input
          id={field}
          name="path"
          autoComplete="off"
          spellCheck={false}
          placeholder="/home/me/project/.venv"
          className="h-10 min-w-0 flex-1 rounded-md border border-line-strong bg-bg px-3 font-mono text-base sm:text-[13px]"
        />
        <Button type="submit" disabled={disabled}>
          {words.environment.use}
        </Button>
      </div>
    </form>
  );
}
