/** Where turns, parts and cells stand in a transcript, and how one of them is changed in place. */
import type { CellPart, Transcript, Turn, TurnPart } from "./generated";

/** A cell's or another part's id. */
export function idOf(part: TurnPart): string {
  if (part.type === "cell") return part.cell_id;
  return part.type === "tool" ? part.call_id : part.part_id;
}

/** The turn that holds the part or cell of that id; -1 if none does. */
export function turnIndexOf(transcript: Transcript, id: string): number {
  return transcript.turns.findLastIndex((turn) => turn.parts.some((part) => idOf(part) === id));
}

export function findPart(transcript: Transcript, id: string): TurnPart | undefined {
  return transcript.turns[turnIndexOf(transcript, id)]?.parts.find((part) => idOf(part) === id);
}

/** What is being written belongs to the turn that was started last, while it runs. */
export function appendToRunning(transcript: Transcript, part: TurnPart): Transcript {
  const index = transcript.turns.findLastIndex((turn) => turn.turn_id !== undefined);
  if (transcript.turns[index]?.status !== "running") return transcript;
  return replaceTurn(transcript, index, (turn) => withPart(turn, part));
}

export function withPart(turn: Turn, part: TurnPart): Turn {
  return { ...turn, parts: [...turn.parts, part] };
}

/** Changes one turn; the others stay the same objects, and so with parts and cells below. */
export function mapTurn(
  transcript: Transcript,
  turnId: string,
  change: (turn: Turn) => Turn,
): Transcript {
  const index = transcript.turns.findLastIndex((turn) => turn.turn_id === turnId);
  return index < 0 ? transcript : replaceTurn(transcript, index, change);
}

export function replaceTurn(
  transcript: Transcript,
  index: number,
  change: (turn: Turn) => Turn,
): Transcript {
  const turn = transcript.turns[index];
  if (turn === undefined) return transcript;
  return { ...transcript, turns: transcript.turns.with(index, change(turn)) };
}

export function mapPart(
  transcript: Transcript,
  id: string,
  change: (part: TurnPart) => TurnPart,
): Transcript {
  return replaceTurn(transcript, turnIndexOf(transcript, id), (turn) => ({
    ...turn,
    parts: turn.parts.map((part) => (idOf(part) === id ? change(part) : part)),
  }));
}

export function mapCell(
  transcript: Transcript,
  id: string,
  change: (cell: CellPart) => CellPart,
): Transcript {
  return mapPart(transcript, id, (part) => (part.type === "cell" ? change(part) : part));
}

/** A cell that has started; one still being written has no outputs and does not end. */
export function mapStarted(
  transcript: Transcript,
  id: string,
  change: (cell: CellPart) => CellPart,
): Transcript {
  return mapCell(transcript, id, (cell) => (cell.status === "writing" ? cell : change(cell)));
}

/** Every part through ``change``; turns in which none changed stay the same objects. */
export function mapParts(transcript: Transcript, change: (part: TurnPart) => TurnPart): Transcript {
  const turns = transcript.turns.map((turn) => {
    const parts = turn.parts.map(change);
    return parts.every((part, index) => part === turn.parts[index]) ? turn : { ...turn, parts };
  });
  return { ...transcript, turns };
}
