/** A transcript as a flat list of rows, each small enough to be mounted and measured by itself. */
import { type Fork, forkAt } from "../../lib/branches";
import type { Transcript, Turn, TurnPart } from "../../protocol/generated";

export type Row =
  | { kind: "prompt"; key: string; turn: Turn; fork: Fork }
  /** The model cannot see pictures: told where it first mattered. */
  | { kind: "unseen"; key: string; turn: Turn; model: string }
  | { kind: "part"; key: string; turn: Turn; part: TurnPart }
  | { kind: "end"; key: string; turn: Turn };

export function rowsOf(transcript: Transcript): Row[] {
  let asked = 0;
  const told = new Set<string>();
  return transcript.turns.flatMap((turn, index) => {
    const { turn_id: id } = turn;
    const fork = id === undefined ? undefined : forkAt(transcript, id, asked++);
    return turnRows(turn, id ?? `own-${index}`, fork, told);
  });
}

/** `told`: the models of which it was said before that they cannot see. */
function turnRows(turn: Turn, key: string, fork: Fork | undefined, told: Set<string>): Row[] {
  const rows: Row[] = turn.parts.map((part) => ({ kind: "part", key: partKey(part), turn, part }));
  if (fork === undefined) return rows;
  return [
    { kind: "prompt", key: `${key}:prompt`, turn, fork },
    ...unseenRows(turn, key, told),
    ...rows,
    // With every part the end is another row: following it begins at a new last key.
    { kind: "end", key: `${key}:end:${turn.parts.length}`, turn },
  ];
}

function unseenRows(turn: Turn, key: string, told: Set<string>): Row[] {
  const { model, unseen = 0 } = turn;
  if (unseen === 0 || model === undefined || told.has(model)) return [];
  told.add(model);
  return [{ kind: "unseen", key: `${key}:unseen`, turn, model }];
}

function partKey(part: TurnPart): string {
  if (part.type === "cell") return part.cell_id;
  return part.type === "tool" ? part.call_id : part.part_id;
}

/** Whether the turn shows by itself that it is being worked on. */
export function isVisiblyBusy(turn: Turn): boolean {
  const last = turn.parts.at(-1);
  if (last === undefined) return false;
  if (last.type === "cell") return ["writing", "waiting", "running"].includes(last.status);
  if (last.type === "tool") return last.status === "running" || last.status === "waiting";
  return !last.done;
}

/** What the model said in a turn, without the code. */
export function answerText(turn: Turn): string {
  return turn.parts
    .flatMap((part) => (part.type === "text" && part.text.trim() !== "" ? [part.text.trim()] : []))
    .join("\n\n");
}

/** A height to start from, before the row has been measured. */
export function estimate(row: Row | undefined): number {
  if (row === undefined || row.kind !== "part") return row?.kind === "prompt" ? 72 : 40;
  if (row.part.type === "tool") return 36;
  if (row.part.type !== "cell") return 32 + row.part.text.length / 3;
  return row.part.outputs.length > 0 ? 420 : 160;
}
