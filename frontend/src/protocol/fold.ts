/**
 * The fold: events in, transcript out. Pure, with structural sharing, so that a part which an event
 * does not touch keeps its identity and is not drawn again. The same rules, on the same golden
 * logs, as the server's fold; offsets count Unicode code points.
 */
import { cutAt, lengthOf } from "./codepoints";
import type {
  ApprovalRequested,
  ApprovalResolved,
  Attachment,
  CellFinished,
  CellOutput,
  CellOutputsCleared,
  CellOutputUpdated,
  CellOutputValue,
  CellPart,
  CellStarted,
  CodeDelta,
  ConversationChanged,
  ConversationEvent,
  ConversationSummary,
  KernelStatus,
  ModelRequestSent,
  NetworkHost,
  Published,
  ReasoningDelta,
  ReasoningDone,
  ReasoningPart,
  ReplayFinished,
  TextDelta,
  TextDone,
  TextPart,
  ToolFinished,
  ToolPart,
  ToolStarted,
  Transcript,
  TranscriptOutput,
  Turn,
  TurnPart,
  TurnStarted,
} from "./generated";
import {
  appendToRunning,
  findPart,
  idOf,
  mapCell,
  mapPart,
  mapParts,
  mapStarted,
  mapTurn,
  replaceTurn,
  turnIndexOf,
  withPart,
} from "./places";

const NO_FILES = { added: [], changed: [], removed: [] };
const NO_ATTACHMENTS: Attachment[] = [];
const MOST_HOSTS = 200;
const ALL_OTHERS = "*";

/** What moves a conversation to the top of the list. */
const ACTIVITY: ReadonlySet<ConversationEvent["type"]> = new Set([
  "turn_started",
  "turn_finished",
  "cell_started",
  "cell_finished",
  "files_changed",
] as const);

/** A conversation in which nothing has happened yet. */
export function emptyTranscript({ running: _running, ...rest }: ConversationSummary): Transcript {
  return {
    ...rest,
    seq: 0,
    deleted: false,
    kernel: { state: "parked", sandbox: "none", network: true },
    turns: [],
  };
}

/** The transcript after one more event; the same object if the event changes nothing. */
export function apply(transcript: Transcript, published: Published): Transcript {
  const { seq, event } = published;
  if (seq !== undefined && seq <= transcript.seq) return transcript;
  let next = step(transcript, event, published.at);
  if (ACTIVITY.has(event.type)) next = { ...next, updated_at: published.at };
  return seq === undefined ? next : { ...next, seq };
}

/** Whether a delta starts beyond what is known of its part: something was missed, ask again. */
export function leavesGap(transcript: Transcript, event: ConversationEvent): boolean {
  if (event.type === "code_delta") {
    const cell = findCell(transcript, event.cell_id);
    return cell === undefined
      ? event.offset > 0
      : isBeyond(cell.code, event.offset, cell.status === "writing");
  }
  if (event.type === "text_delta" || event.type === "reasoning_delta") {
    const part = findPart(transcript, event.part_id);
    if (part === undefined || !isProse(part)) return event.offset > 0;
    return isBeyond(part.text, event.offset, !part.done);
  }
  return false;
}

/** The cell of that id, wherever it stands. */
export function findCell(transcript: Transcript, cellId: string): CellPart | undefined {
  const part = findPart(transcript, cellId);
  return part?.type === "cell" ? part : undefined;
}

function isProse(part: TurnPart): part is TextPart | ReasoningPart {
  return part.type === "text" || part.type === "reasoning";
}

function isBeyond(text: string, offset: number, open: boolean): boolean {
  return open && offset > lengthOf(text);
}

function step(transcript: Transcript, event: ConversationEvent, at: string): Transcript {
  switch (event.type) {
    case "kernel_status":
      return { ...transcript, kernel: kernelInfo(event) };
    case "turn_started":
      return startTurn(transcript, event, at);
    case "turn_finished":
      return mapTurn(transcript, event.turn_id, (turn) => ({
        ...turn,
        status: event.status,
        ...(event.error && { error: event.error }),
      }));
    case "text_delta":
    case "reasoning_delta":
      return grow(transcript, event);
    case "text_done":
    case "reasoning_done":
      return close(transcript, event);
    case "code_delta":
      return growCode(transcript, event);
    case "cell_started":
      return startCell(outdated(transcript), event, at);
    case "cell_output":
      return mapStarted(transcript, event.cell_id, (cell) => addOutput(cell, event));
    case "cell_output_updated":
      return updateDisplays(transcript, event);
    case "cell_outputs_cleared":
      return mapStarted(transcript, event.cell_id, (cell) => clearOutputs(cell, event));
    case "cell_deleted":
      return deleteCell(transcript, event.cell_id);
    case "cell_finished":
      return mapStarted(transcript, event.cell_id, (cell) => finishCell(cell, event));
    case "input_requested":
      return mapStarted(transcript, event.cell_id, (cell) => ({
        ...cell,
        input: { prompt: event.prompt, password: event.password },
      }));
    case "input_replied":
      return mapStarted(transcript, event.cell_id, withoutInput);
    case "tool_started":
      return startTool(transcript, event);
    case "tool_finished":
      return mapPart(transcript, event.call_id, (part) => finishTool(part, event));
    case "approval_requested":
      return requestApproval(transcript, event);
    case "approval_resolved":
      return resolveApproval(transcript, event);
    case "usage":
      return mapTurn(transcript, event.turn_id, (turn) => ({ ...turn, usage: event }));
    case "files_told":
      return mapTurn(transcript, event.turn_id, (turn) => ({ ...turn, told: event.files }));
    case "conversation_changed":
      return changed(transcript, event);
    case "replay_progress":
      return { ...transcript, replay: event };
    case "replay_finished":
      return finishReplay(transcript, event, at);
    case "network_used":
      return { ...transcript, hosts: counted(transcript.hosts ?? [], event.hosts) };
    case "model_request":
      return noteUnseen(transcript, event);
    case "files_changed":
      return transcript;
    default:
      event satisfies never;
      return transcript;
  }
}

function noteUnseen(transcript: Transcript, event: ModelRequestSent): Transcript {
  const { turn_id: id, unseen = 0 } = event;
  return unseen === 0 ? transcript : mapTurn(transcript, id, (turn) => ({ ...turn, unseen }));
}

function kernelInfo({ type: _type, ...kernel }: KernelStatus): Transcript["kernel"] {
  return kernel;
}

function startTurn(transcript: Transcript, event: TurnStarted, at: string): Transcript {
  if (transcript.turns.some((turn) => turn.turn_id === event.turn_id)) return transcript;
  const turn: Turn = {
    turn_id: event.turn_id,
    prompt: event.prompt,
    model: event.model,
    attachments: event.attachments,
    parts: [],
    status: "running",
    started_at: at,
    ...(event.imported === undefined ? {} : { imported: event.imported }),
  };
  const turns = [...transcript.turns, turn];
  return event.model === ""
    ? { ...transcript, turns }
    : { ...transcript, model: event.model, turns };
}

function changed(
  transcript: Transcript,
  { type: _type, ...fields }: ConversationChanged,
): Transcript {
  return { ...transcript, ...fields };
}

function finishReplay(
  { replay: _replay, ...transcript }: Transcript,
  event: ReplayFinished,
  at: string,
): Transcript {
  const proved = event.status === "reproduces" || event.status === "differs";
  if (event.purpose !== "proof" || !proved) return transcript;
  return { ...transcript, proof: { at, result: event, stale: false } };
}

/** What was proved holds no longer: a cell runs, or goes. */
function outdated(transcript: Transcript): Transcript {
  const { proof } = transcript;
  return proof && !proof.stale ? { ...transcript, proof: { ...proof, stale: true } } : transcript;
}

/** The sums by host; beyond the first two hundred a host is counted with all others. */
function counted(known: readonly NetworkHost[], more: readonly NetworkHost[]): NetworkHost[] {
  const hosts = new Map(known.map((host) => [host.host, host]));
  for (const one of more) {
    const name = hosts.has(one.host) || hosts.size < MOST_HOSTS ? one.host : ALL_OTHERS;
    const before = hosts.get(name) ?? { requests: 0, refused: 0, sent: 0, received: 0 };
    hosts.set(name, {
      host: name,
      requests: before.requests + one.requests,
      refused: before.refused + one.refused,
      sent: before.sent + one.sent,
      received: before.received + one.received,
    });
  }
  return [...hosts.values()];
}

// --- text and thinking ---------------------------------------------------------------------------

function grow(transcript: Transcript, event: TextDelta | ReasoningDelta): Transcript {
  const known = findPart(transcript, event.part_id);
  if (known === undefined) return openPart(transcript, event);
  if (!isProse(known) || known.done) return transcript;
  return mapPart(transcript, event.part_id, (part) =>
    isProse(part) ? { ...part, text: cutAt(part.text, event.offset) + event.text } : part,
  );
}

function openPart(transcript: Transcript, event: TextDelta | ReasoningDelta): Transcript {
  const type = event.type === "text_delta" ? "text" : "reasoning";
  return appendToRunning(transcript, {
    type,
    part_id: event.part_id,
    text: event.text,
    done: false,
  });
}

function close(transcript: Transcript, event: TextDone | ReasoningDone): Transcript {
  const closed = { part_id: event.part_id, text: event.text, done: true };
  const whole: TurnPart =
    event.type === "reasoning_done"
      ? { type: "reasoning", ...closed }
      : { type: "text", ...closed, ...(event.kept === undefined ? {} : { kept: event.kept }) };
  if (findPart(transcript, event.part_id)) return mapPart(transcript, event.part_id, () => whole);
  return mapTurn(transcript, event.turn_id, (turn) => withPart(turn, whole));
}

function startTool(
  transcript: Transcript,
  { type: _type, turn_id, ...call }: ToolStarted,
): Transcript {
  const known = findPart(transcript, call.call_id);
  if (known?.type === "tool" && known.status === "waiting")
    return mapPart(transcript, call.call_id, (part) =>
      part.type === "tool" ? { ...withoutApproval(part), status: "running" } : part,
    );
  if (known) return transcript;
  const part: TurnPart = { type: "tool", ...call, status: "running", content: "" };
  return mapTurn(transcript, turn_id, (turn) => withPart(turn, part));
}

function finishTool(part: TurnPart, { status, content }: ToolFinished): TurnPart {
  return part.type === "tool" ? { ...withoutApproval(part), status, content } : part;
}

// --- asking first --------------------------------------------------------------------------------

function requestApproval(transcript: Transcript, event: ApprovalRequested): Transcript {
  const known = findPart(transcript, event.cell_id);
  const approval = { reasons: event.reasons };
  if (known && !(known.type === "cell" && known.status === "writing")) return transcript;
  if (event.tool !== undefined) {
    if (known) return transcript;
    const part: TurnPart = {
      type: "tool",
      call_id: event.cell_id,
      ...(event.server !== undefined && { server: event.server }),
      name: event.tool,
      arguments: event.code,
      status: "waiting",
      content: "",
      approval,
    };
    return mapTurn(transcript, event.turn_id, (turn) => withPart(turn, part));
  }
  const cell = {
    ...newCell(event.cell_id, event.code, "model", "waiting"),
    ...foreign(transcript),
    approval,
  };
  if (known) return mapCell(transcript, event.cell_id, () => cell);
  return mapTurn(transcript, event.turn_id, (turn) => withPart(turn, cell));
}

function resolveApproval(transcript: Transcript, event: ApprovalResolved): Transcript {
  const known = findPart(transcript, event.cell_id);
  const asked = known?.type === "cell" || known?.type === "tool" ? known.approval : undefined;
  if (asked === undefined) return transcript;
  const next = mapPart(transcript, event.cell_id, (part) => {
    if (part.type === "tool") return withoutApproval(part);
    if (part.type !== "cell") return part;
    return { ...withoutApproval(part), ...(event.edited && { edited: true }) };
  });
  if (!event.run || !event.remember) return next;
  const kinds = asked.reasons.flatMap(({ kind }) => (kind === undefined ? [] : [kind]));
  return { ...next, allowed: [...new Set([...(transcript.allowed ?? []), ...kinds])] };
}

function withoutApproval<P extends CellPart | ToolPart>({
  approval: _,
  ...part
}: P): Omit<P, "approval"> {
  return part;
}

// --- cells ---------------------------------------------------------------------------------------

function growCode(transcript: Transcript, event: CodeDelta): Transcript {
  const known = findCell(transcript, event.cell_id);
  if (known === undefined) {
    const cell = {
      ...newCell(event.cell_id, event.text, "model", "writing"),
      ...foreign(transcript),
    };
    return appendToRunning(transcript, cell);
  }
  if (known.status !== "writing") return transcript;
  return mapCell(transcript, event.cell_id, (cell) => ({
    ...cell,
    code: cutAt(cell.code, event.offset) + event.text,
  }));
}

/** What code is in that has not reached the kernel, where that is not Python. */
function foreign({ language }: Transcript): { language?: string } {
  return language === undefined || language === "python" ? {} : { language };
}

function newCell(
  cell_id: string,
  code: string,
  origin: CellPart["origin"],
  status: CellPart["status"],
): CellPart {
  return {
    type: "cell",
    cell_id,
    code,
    origin,
    status,
    outputs: [],
    files: NO_FILES,
    clear_pending: false,
  };
}

function startCell(transcript: Transcript, event: CellStarted, at: string): Transcript {
  const known = findCell(transcript, event.cell_id);
  const cell: CellPart = {
    ...newCell(event.cell_id, event.code, event.origin, "running"),
    started_at: at,
    ...(event.repaired === undefined ? {} : { repaired: event.repaired }),
    ...(isEdited(known, event.code) && { edited: true }),
    ...(event.kept === undefined ? {} : { kept: event.kept }),
    ...(event.language === undefined ? {} : { language: event.language }),
  };
  if (known) return mapCell(transcript, event.cell_id, () => cell);
  const anchor =
    event.after_cell === undefined ? undefined : findCell(transcript, event.after_cell);
  // A cell still being written is known only to those who saw its deltas, so it is no anchor.
  if (anchor && anchor.status !== "writing") return placeAfter(transcript, cell, anchor.cell_id);
  if (
    transcript.turns.some((turn) => turn.turn_id === event.turn_id && turn.turn_id !== undefined)
  ) {
    return mapTurn(transcript, event.turn_id ?? "", (turn) => withPart(turn, cell));
  }
  return placeAmongOwn(transcript, cell);
}

/** Whether the code is not what ran in the cell first. */
function isEdited(known: CellPart | undefined, code: string): boolean {
  if (known === undefined || known.edited === true) return known !== undefined;
  return known.status !== "writing" && known.status !== "waiting" && known.code !== code;
}

/** An entry of the person's own cells goes with the last of them. */
function deleteCell(transcript: Transcript, cellId: string): Transcript {
  const index = turnIndexOf(transcript, cellId);
  const turn = transcript.turns[index];
  if (turn === undefined) return transcript;
  const parts = turn.parts.filter((part) => idOf(part) !== cellId);
  const turns =
    turn.turn_id === undefined && parts.length === 0
      ? transcript.turns.toSpliced(index, 1)
      : transcript.turns.with(index, { ...turn, parts });
  return { ...outdated(transcript), turns };
}

function placeAfter(transcript: Transcript, cell: CellPart, after: string): Transcript {
  return replaceTurn(transcript, turnIndexOf(transcript, after), (turn) => {
    const place = turn.parts.findIndex((part) => idOf(part) === after) + 1;
    return { ...turn, parts: turn.parts.toSpliced(place, 0, cell) };
  });
}

/** Cells that no question led to stand together at the end. */
function placeAmongOwn(transcript: Transcript, cell: CellPart): Transcript {
  const last = transcript.turns.length - 1;
  if (last >= 0 && transcript.turns[last]?.turn_id === undefined) {
    return replaceTurn(transcript, last, (turn) => withPart(turn, cell));
  }
  const turn: Turn = {
    prompt: "",
    attachments: NO_ATTACHMENTS,
    parts: [cell],
    status: "completed",
  };
  return { ...transcript, turns: [...transcript.turns, turn] };
}

function finishCell(cell: CellPart, event: CellFinished): CellPart {
  const { type: _type, cell_id: _id, ...result } = event;
  return { ...withoutApproval(withoutInput(cell)), ...result };
}

function withoutInput({ input: _input, ...cell }: CellPart): CellPart {
  return cell;
}

// --- outputs -------------------------------------------------------------------------------------

function addOutput(cell: CellPart, event: CellOutput): CellPart {
  const { output, display_id, truncated = cell.truncated } = event;
  const counted = truncated === undefined ? cell : { ...cell, truncated };
  // Empty text only carries the totals of what is held back.
  if (output.output_type === "stream" && output.text === "") return counted;
  const before = cell.clear_pending ? [] : cell.outputs;
  const added = { output, ...(display_id !== undefined && { display_id }) };
  const outputs = joinStream(before, output) ?? [...before, added];
  return { ...counted, outputs, clear_pending: false };
}

/** Consecutive text of one stream is one output (R5). */
function joinStream(
  outputs: TranscriptOutput[],
  output: CellOutputValue,
): TranscriptOutput[] | undefined {
  const last = outputs.at(-1)?.output;
  if (output.output_type !== "stream") return undefined;
  if (last?.output_type !== "stream" || last.name !== output.name) return undefined;
  return outputs.with(-1, { output: { ...last, text: last.text + output.text } });
}

function clearOutputs(cell: CellPart, event: CellOutputsCleared): CellPart {
  return event.wait
    ? { ...cell, clear_pending: true }
    : { ...cell, outputs: [], clear_pending: false };
}

function updateDisplays(transcript: Transcript, event: CellOutputUpdated): Transcript {
  const shows = (shown: TranscriptOutput) => shown.display_id === event.display_id;
  return mapParts(transcript, (part) => {
    if (part.type !== "cell" || !part.outputs.some(shows)) return part;
    const outputs = part.outputs.map((shown) => (shows(shown) ? updated(shown, event) : shown));
    return { ...part, outputs };
  });
}

function updated(shown: TranscriptOutput, { data, metadata }: CellOutputUpdated): TranscriptOutput {
  const { output } = shown;
  if (output.output_type !== "display_data" && output.output_type !== "execute_result")
    return shown;
  return { ...shown, output: { ...output, data, metadata } };
}
