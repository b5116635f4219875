import { beforeEach, describe, expect, it } from "vitest";
import type { Published } from "../protocol/generated";
import { type Channel, openChannel } from "./channel";
import type { openStream, StreamOptions, StreamState } from "./sse";

/** One browser: its locks and its broadcast channels, without any clock. */
class FakeBrowser {
  #holders: (() => Promise<void>)[] = [];
  #held = false;
  readonly #tabs = new Set<FakeTab>();

  readonly locks = {
    request: (_name: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>) => {
      signal.addEventListener("abort", () => {
        this.#holders = this.#holders.filter((one) => one !== work);
      });
      this.#holders.push(work);
      this.#next();
      return Promise.resolve();
    },
  } as unknown as LockManager;

  readonly broadcast = () => new FakeTab(this.#tabs) as unknown as BroadcastChannel;

  #next(): void {
    if (this.#held) return;
    const work = this.#holders.shift();
    if (work === undefined) return;
    this.#held = true;
    void work().then(() => {
      this.#held = false;
      this.#next();
    });
  }
}

class FakeTab {
  #listener: (event: { data: unknown }) => void = () => {};

  constructor(readonly tabs: Set<FakeTab>) {
    tabs.add(this);
  }

  addEventListener(_type: string, listener: (event: { data: unknown }) => void): void {
    this.#listener = listener;
  }

  postMessage(data: unknown): void {
    for (const tab of this.tabs) if (tab !== this) tab.#listener({ data: structuredClone(data) });
  }

  close(): void {
    this.tabs.delete(this);
  }
}

const event = (seq: number): Published => ({
  seq,
  conversation_id: "c",
  at: "",
  event: { type: "input_replied", cell_id: "x" },
});

let browser: FakeBrowser;
let streams: StreamOptions[];
let hurried: number;

const open = ((options: StreamOptions) => {
  streams.push(options);
  return {
    close: () => {},
    retryNow: () => {
      hurried += 1;
    },
  };
}) as typeof openStream;

function tab(alone = false): {
  channel: Channel;
  heard: Published[];
  states: StreamState[];
  resets: () => number;
} {
  const heard: Published[] = [];
  const states: StreamState[] = [];
  let resets = 0;
  const channel = openChannel(
    {
      onEvents: (events) => heard.push(...events),
      onReset: () => {
        resets += 1;
      },
      onState: (state) => states.push(state),
    },
    alone
      ? { url: "u", open }
      : { url: "u", open, locks: browser.locks, broadcast: browser.broadcast },
  );
  return { channel, heard, states, resets: () => resets };
}

const settle = () => new Promise<void>((resolve) => queueMicrotask(resolve));

beforeEach(() => {
  browser = new FakeBrowser();
  streams = [];
  hurried = 0;
});

describe("tabs of one browser", () => {
  it("share one stream", () => {
    const first = tab();
    const second = tab();
    expect(streams).toHaveLength(1);
    streams[0]?.onEvents([event(1)]);
    expect([first.heard, second.heard]).toEqual([[event(1)], [event(1)]]);
  });

  it("tell a newcomer how the stream is", () => {
    tab();
    streams[0]?.onState("live");
    expect(tab().states).toEqual(["live"]);
  });

  it("take over where the one that closes has stopped", async () => {
    const first = tab();
    const second = tab();
    streams[0]?.onEvents([event(41)]);
    first.channel.close();
    await settle();
    await settle();
    expect(streams.map(({ after }) => after)).toEqual([undefined, 41]);
    streams[1]?.onEvents([event(42)]);
    expect(second.heard).toEqual([event(41), event(42)]);
    expect(first.heard).toEqual([event(41)]);
  });

  it("take over knowing that something may be missed", async () => {
    const first = tab();
    tab();
    streams[0]?.onState("live");
    first.channel.close();
    await settle();
    await settle();
    expect(streams.map(({ after, missed }) => [after, missed])).toEqual([
      [undefined, false],
      [undefined, true],
    ]);
  });

  it("hurry the one that reads", () => {
    tab();
    tab().channel.retryNow();
    expect(hurried).toBe(1);
  });

  it("all hear of another database", () => {
    const tabs = [tab(), tab()];
    streams[0]?.onReset();
    expect(tabs.map((one) => one.resets())).toEqual([1, 1]);
  });
});

it("reads for itself where there are no locks", () => {
  tab(true);
  tab(true);
  expect(streams).toHaveLength(2);
});
