/** Which of the environments that can be chosen a conversation runs in. */
import type { KernelChoice } from "../../lib/api";
import type { Transcript } from "../../protocol/generated";

export function environmentOf(
  { kernel_name: kernel, python }: Pick<Transcript, "kernel_name" | "python">,
  rows: readonly KernelChoice[],
): KernelChoice | undefined {
  if (kernel) return rows.find((row) => row.name === kernel);
  if (python) return rows.find((row) => row.name === null && row.python === python);
  return rows.find((row) => row.default);
}

/** Its name in a line: the kernel's, or the folder of the environment. */
export function environmentName(
  transcript: Pick<Transcript, "kernel_name" | "python">,
  rows: readonly KernelChoice[],
): string | undefined {
  const row = environmentOf(transcript, rows);
  if (row !== undefined && row.name !== null) return row.display_name;
  const python = row?.python ?? transcript.python;
  return transcript.kernel_name || (python ? shortened(python) : undefined);
}

/** `/home/me/project/.venv/bin/python` is known as `project/.venv`. */
function shortened(python: string): string {
  const parts = python.split(/[/\\]/).filter((part) => part !== "");
  const at = parts.findLastIndex((part) => part === "bin" || part === "Scripts");
  return at > 1 ? parts.slice(at - 2, at).join("/") : python;
}
