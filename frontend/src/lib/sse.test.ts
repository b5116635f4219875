import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Published } from "../protocol/generated";
import {
  backoff,
  LONGEST_DELAY_MS,
  openStream,
  SILENCE_MS,
  type Stream,
  type StreamState,
} from "./sse";

/** A server whose every answer is a stream that the test writes. */
class FakeServer {
  readonly requests: string[] = [];
  #answers: (Response | Error)[] = [];
  #writers: ReadableStreamDefaultController<Uint8Array>[] = [];

  readonly fetch = (input: string, init?: RequestInit): Promise<Response> => {
    this.requests.push(input);
    const scripted = this.#answers.shift();
    if (scripted instanceof Error) return Promise.reject(scripted);
    if (scripted) return Promise.resolve(scripted);
    return Promise.resolve(this.#stream(init?.signal ?? undefined));
  };

  answer(...answers: (Response | Error)[]): void {
    this.#answers.push(...answers);
  }

  write(text: string | Uint8Array): void {
    this.#writers.at(-1)?.enqueue(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  hangUp(): void {
    this.#writers.at(-1)?.close();
  }

  #stream(signal: AbortSignal | undefined): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (writer) => {
        this.#writers.push(writer);
        signal?.addEventListener("abort", () => writer.error(new Error("aborted")));
      },
    });
    return new Response(body, { status: 200 });
  }
}

const event = (seq: number): Published => ({
  seq,
  conversation_id: "c",
  at: "2026-01-01T00:00:00Z",
  event: { type: "input_replied", cell_id: "x" },
});
const wire = (published: Published) =>
  `id: ${published.seq}\ndata: ${JSON.stringify(published)}\n\n`;

let server: FakeServer;
let heard: Published[];
let states: StreamState[];
let resets: number;
let stream: Stream;

function connect(after?: number): void {
  stream = openStream({
    url: "/api/events",
    after,
    fetch: server.fetch as typeof fetch,
    random: () => 1,
    onEvents: (events) => heard.push(...events),
    onReset: () => {
      resets += 1;
    },
    onState: (state) => states.push(state),
  });
}

/** Lets everything happen that needs no time. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  heard = [];
  states = [];
  resets = 0;
});

afterEach(() => {
  stream.close();
  vi.useRealTimers();
});

describe("reading", () => {
  it("hears what is sent, however it is cut", async () => {
    connect();
    await settle();
    const bytes = new TextEncoder().encode(wire(event(1)) + wire(event(2)));
    for (const byte of bytes) server.write(new Uint8Array([byte]));
    await settle();
    expect(heard).toEqual([event(1), event(2)]);
    expect(states).toEqual(["connecting", "live"]);
    expect(server.requests).toEqual(["/api/events"]);
  });

  it("does not mistake a comment for an event", async () => {
    connect();
    await settle();
    server.write(": still here\n\n");
    await settle();
    expect(heard).toEqual([]);
  });
});

describe("reconnecting", () => {
  it("resumes after the last number it has seen", async () => {
    connect(4);
    await settle();
    server.write(wire(event(5)) + wire(event(7)));
    await settle();
    server.hangUp();
    await settle();
    await vi.advanceTimersByTimeAsync(200);
    expect(server.requests).toEqual(["/api/events?after=4", "/api/events?after=7"]);
    expect(states).toEqual(["connecting", "live", "offline", "live"]);
  });

  it("waits longer after every failure, and starts over after a success", async () => {
    server.answer(new TypeError("no"), new TypeError("no"), new Response(null, { status: 503 }));
    connect();
    await settle();
    await vi.advanceTimersByTimeAsync(199);
    expect(server.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1 + 400);
    expect(server.requests).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(800);
    expect(server.requests).toHaveLength(4);
    server.write(wire(event(1)));
    await settle();
    server.hangUp();
    await settle();
    await vi.advanceTimersByTimeAsync(200);
    expect(server.requests).toHaveLength(5);
  });

  it("does not wait when told that it works again", async () => {
    server.answer(new TypeError("no"));
    connect();
    await settle();
    stream.retryNow();
    await settle();
    expect(server.requests).toHaveLength(2);
  });

  it("gives up on a connection that falls silent", async () => {
    connect();
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    server.write(": still here\n\n");
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    expect(states).toEqual(["connecting", "live"]);
    await vi.advanceTimersByTimeAsync(1 + 200);
    expect(states).toEqual(["connecting", "live", "offline", "live"]);
  });

  it("stops for good when nobody is signed in", async () => {
    server.answer(new Response(null, { status: 401 }));
    connect();
    await settle();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states).toEqual(["connecting", "unauthenticated"]);
    expect(server.requests).toHaveLength(1);
  });

  it("stops when closed", async () => {
    connect();
    await settle();
    stream.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.requests).toHaveLength(1);
  });
});

describe("a gap without a number to resume after", () => {
  it("voids what was known, once", async () => {
    connect();
    await settle();
    server.hangUp();
    await settle();
    expect(resets).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(resets).toBe(1);
    server.write(wire(event(8)));
    await settle();
    server.hangUp();
    await settle();
    await vi.advanceTimersByTimeAsync(200);
    expect([resets, server.requests.at(-1)]).toEqual([1, "/api/events?after=8"]);
  });
});

describe("another database", () => {
  it("voids what was known, and the number to resume after", async () => {
    connect(900);
    await settle();
    server.write("event: reset\ndata: {}\n\n" + wire(event(3)));
    await settle();
    expect(resets).toBe(1);
    expect(heard).toEqual([event(3)]);
    server.hangUp();
    await settle();
    await vi.advanceTimersByTimeAsync(200);
    expect(server.requests.at(-1)).toBe("/api/events?after=3");
  });
});

describe("backoff", () => {
  it("doubles to five seconds, half of it by chance", () => {
    expect([1, 2, 3, 9].map((failures) => backoff(failures, () => 1))).toEqual([
      200,
      400,
      800,
      LONGEST_DELAY_MS,
    ]);
    expect(backoff(1, () => 0)).toBe(100);
  });
});
