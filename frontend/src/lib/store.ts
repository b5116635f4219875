/**
 * The transcripts on screen. Events gather between two frames and are folded in one go, so that a
 * fast stream costs one draw a frame; while a transcript is being read its events wait for it, and
 * a delta that leaves a gap makes it be read again. Nobody else writes transcripts.
 */
import { apply, leavesGap } from "../protocol/fold";
import { lengthOf } from "../protocol/codepoints";
import type { Delta, Published, Transcript } from "../protocol/generated";
import { ApiError, unreachable } from "./api";

export type Loaded =
  | { state: "loading"; transcript?: Transcript }
  | { state: "ready"; transcript: Transcript }
  | { state: "failed"; error: ApiError };

interface Entry {
  loaded: Loaded;
  waiting: Published[];
  /** Which reading is the current one; an older answer is dropped. */
  reading: number;
  /** When a gap last made it be read again; more gaps at once do not ask more often. */
  gapAt: number;
  listeners: Set<() => void>;
}

/** Runs a function before the next frame, or soon where no frames are drawn. */
export type Schedule = (run: () => void) => void;

const KEPT = 12;
const HIDDEN_MS = 250;
const GAP_MS = 2_000;
const LOADING: Loaded = { state: "loading" };

/** A frame if the page is seen; a hidden page draws none, but its store must not pile up. */
export const nextFrame: Schedule = (run) => {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    run();
  };
  requestAnimationFrame(once);
  setTimeout(once, HIDDEN_MS);
};

export class TranscriptStore {
  readonly #read: (id: string) => Promise<Transcript>;
  readonly #schedule: Schedule;
  readonly #entries = new Map<string, Entry>();
  #arrived: Published[] = [];
  #scheduled = false;

  constructor(read: (id: string) => Promise<Transcript>, schedule: Schedule = nextFrame) {
    this.#read = read;
    this.#schedule = schedule;
  }

  get(id: string): Loaded {
    return this.#entries.get(id)?.loaded ?? LOADING;
  }

  /** Reads the transcript unless it is known; the oldest unwatched ones are forgotten. */
  open(id: string): void {
    if ((this.#entries.get(id)?.reading ?? 0) > 0) return;
    this.#forgetOldest();
    this.#readAgain(id, this.#entry(id));
  }

  /** Takes a transcript that the server has just handed out, for example a new conversation. */
  adopt(transcript: Transcript): void {
    const entry = this.#entry(transcript.id);
    entry.reading += 1;
    this.#settle(transcript.id, entry, transcript);
  }

  subscribe(id: string, listener: () => void): () => void {
    const { listeners } = this.#entry(id);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  receive(events: readonly Published[]): void {
    for (const event of events) this.#arrived.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Everything known may be stale: what is watched is read again, the rest forgotten. */
  refresh(): void {
    for (const [id, entry] of this.#entries) {
      if (entry.listeners.size > 0) this.#readAgain(id, entry);
      else this.#entries.delete(id);
    }
  }

  retry(id: string): void {
    this.#readAgain(id, this.#entry(id));
  }

  /** The server is back: what could not be read is read again if watched, else forgotten. */
  retryFailed(): void {
    for (const [id, entry] of this.#entries) {
      if (entry.loaded.state !== "failed") continue;
      if (entry.listeners.size > 0) this.#readAgain(id, entry);
      else this.#entries.delete(id);
    }
  }

  flush(): void {
    const events = this.#arrived;
    this.#arrived = [];
    for (const [id, batch] of byConversation(events)) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      if (entry.loaded.state === "ready") this.#fold(id, entry, batch);
      // After a failure nobody reads what would wait; the next reading has it all.
      else if (entry.loaded.state === "loading") entry.waiting.push(...batch);
    }
  }

  #entry(id: string): Entry {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { loaded: LOADING, waiting: [], reading: 0, gapAt: -Infinity, listeners: new Set() };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #fold(id: string, entry: Entry, events: readonly Published[]): void {
    if (entry.loaded.state !== "ready") return;
    let { transcript } = entry.loaded;
    for (const event of mergeDeltas(events)) {
      if (leavesGap(transcript, event.event)) {
        if (performance.now() - entry.gapAt < GAP_MS) continue;
        entry.gapAt = performance.now();
        this.#show(entry, { state: "ready", transcript });
        this.#readAgain(id, entry);
        return;
      }
      transcript = apply(transcript, event);
    }
    if (transcript !== entry.loaded.transcript) this.#show(entry, { state: "ready", transcript });
  }

  #readAgain(id: string, entry: Entry): void {
    const reading = ++entry.reading;
    const known = entry.loaded.state === "failed" ? undefined : entry.loaded.transcript;
    this.#show(entry, known ? { state: "loading", transcript: known } : LOADING);
    this.#read(id).then(
      (transcript) => {
        if (entry.reading === reading) this.#settle(id, entry, transcript);
      },
      (cause: unknown) => {
        if (entry.reading !== reading) return;
        const error = cause instanceof ApiError ? cause : unreachable(cause);
        entry.waiting = [];
        this.#show(entry, { state: "failed", error });
      },
    );
  }

  #settle(id: string, entry: Entry, transcript: Transcript): void {
    const { waiting } = entry;
    entry.waiting = [];
    this.#show(entry, { state: "ready", transcript });
    this.#fold(id, entry, waiting);
  }

  #show(entry: Entry, loaded: Loaded): void {
    entry.loaded = loaded;
    for (const listener of entry.listeners) listener();
  }

  #forgetOldest(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size < KEPT) return;
      if (entry.listeners.size === 0) this.#entries.delete(id);
    }
  }
}

function byConversation(events: readonly Published[]): Map<string, Published[]> {
  const batches = new Map<string, Published[]>();
  for (const event of events) {
    const batch = batches.get(event.conversation_id);
    if (batch) batch.push(event);
    else batches.set(event.conversation_id, [event]);
  }
  return batches;
}

/** Neighbouring deltas of one part as one, so that a frame cuts and joins its text once. */
export function mergeDeltas(events: readonly Published[]): Published[] {
  const merged: Published[] = [];
  for (const next of events) {
    const last = merged.at(-1);
    const joined = last && joinDeltas(last.event, next.event);
    if (last && joined) merged[merged.length - 1] = { ...last, event: joined };
    else merged.push(next);
  }
  return merged;
}

function joinDeltas(a: Published["event"], b: Published["event"]): Delta | undefined {
  if (!isDelta(a) || !isDelta(b) || a.type !== b.type || targetOf(a) !== targetOf(b))
    return undefined;
  if (b.offset !== a.offset + lengthOf(a.text)) return undefined;
  return { ...a, text: a.text + b.text };
}

function isDelta(event: Published["event"]): event is Delta {
  return (
    event.type === "text_delta" || event.type === "reasoning_delta" || event.type === "code_delta"
  );
}

function targetOf(delta: Delta): string {
  return delta.type === "code_delta" ? delta.cell_id : delta.part_id;
}
