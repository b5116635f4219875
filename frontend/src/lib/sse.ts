/**
 * A server-sent event stream over fetch that heals itself: resumed from the last number seen,
 * reconnected with backoff and jitter after a failure, and given up on when it falls silent (the
 * server sends a comment every 15 s). It never polls: it waits only after something went wrong.
 */
import { createParser } from "eventsource-parser";
import type { Published } from "../protocol/generated";

export type StreamState = "connecting" | "live" | "offline" | "unauthenticated";

export interface StreamOptions {
  url: string;
  /** Resume after this number; undefined: what happens from now on. */
  after: number | undefined;
  /** Something may have happened before that is not known of. */
  missed?: boolean;
  onEvents: (events: Published[]) => void;
  /** Another database, or a gap with no number to resume after: all that is known is void. */
  onReset: () => void;
  onState: (state: StreamState) => void;
  fetch?: typeof globalThis.fetch;
  random?: () => number;
}

export interface Stream {
  close(): void;
  /** Do not wait out the backoff: there is reason to believe that it works again. */
  retryNow(): void;
}

export const FIRST_DELAY_MS = 200;
export const LONGEST_DELAY_MS = 5_000;
export const SILENCE_MS = 45_000;

/** Exponential from 0.2 s to 5 s, half of it left to chance, so that tabs do not come in step. */
export function backoff(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return full / 2 + (full / 2) * random();
}

class Unauthenticated extends Error {}

export function openStream(options: StreamOptions): Stream {
  const { onEvents, onReset, onState, random = Math.random } = options;
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  let after = options.after;
  let missed = options.missed ?? false;
  let failures = 0;
  let closed = false;
  let connection = new AbortController();
  let wake: () => void = () => {};

  const alarm = watchdog(() => connection.abort());

  async function readOnce(): Promise<void> {
    connection = new AbortController();
    alarm.feed();
    const response = await send(addressOf(options.url, after), {
      headers: { Accept: "text/event-stream" },
      cache: "no-store",
      signal: connection.signal,
    });
    if (response.status === 401) throw new Unauthenticated();
    if (!response.ok || response.body === null) throw new Error(`stream: ${response.status}`);
    onState("live");
    if (missed && after === undefined) onReset();
    missed = false;
    const reader = response.body.getReader();
    for await (const bytes of chunks(reader)) take(bytes);
  }

  let arrived: Published[] = [];
  const decoder = { current: new TextDecoder() };
  const parser = createParser({
    onEvent: (message) => {
      if (message.event === "reset") {
        deliver();
        after = undefined;
        onReset();
        return;
      }
      const published = JSON.parse(message.data) as Published;
      if (published.seq !== undefined) after = Math.max(after ?? 0, published.seq);
      arrived.push(published);
    },
  });

  function take(bytes: Uint8Array): void {
    alarm.feed();
    failures = 0;
    parser.feed(decoder.current.decode(bytes, { stream: true }));
    deliver();
  }

  function deliver(): void {
    if (arrived.length === 0) return;
    const events = arrived;
    arrived = [];
    onEvents(events);
  }

  async function run(): Promise<void> {
    onState("connecting");
    while (!closed) {
      parser.reset();
      decoder.current = new TextDecoder();
      try {
        await readOnce();
      } catch (error) {
        if (error instanceof Unauthenticated) {
          alarm.rest();
          onState("unauthenticated");
          return;
        }
      }
      alarm.rest();
      if (closed) return;
      missed = true;
      failures += 1;
      onState("offline");
      await pause(backoff(failures, random));
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  void run();
  return {
    close() {
      closed = true;
      alarm.rest();
      connection.abort();
      wake();
    },
    retryNow() {
      wake();
    },
  };
}

function addressOf(url: string, after: number | undefined): string {
  return after === undefined ? url : `${url}?after=${after}`;
}

function watchdog(bark: () => void): { feed(): void; rest(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    feed() {
      clearTimeout(timer);
      timer = setTimeout(bark, SILENCE_MS);
    },
    rest() {
      clearTimeout(timer);
    },
  };
}

async function* chunks(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
