/**
 * One event stream for all tabs of the browser: the tab that holds the lock reads it and shares it,
 * the others listen; when it closes, the next takes over. Browsers allow six connections to a host,
 * so a stream in every tab would starve the seventh. Without locks (plain http on another host)
 * every tab reads for itself.
 */
import type { Published } from "../protocol/generated";
import { openStream, type Stream, type StreamState } from "./sse";

export interface ChannelListeners {
  onEvents: (events: Published[]) => void;
  /** What is known may have holes or be void: read it again. */
  onReset: () => void;
  onState: (state: StreamState) => void;
}

export interface Channel {
  close(): void;
  retryNow(): void;
}

interface Deps {
  url: string;
  locks?: LockManager | undefined;
  broadcast?: ((name: string) => BroadcastChannel) | undefined;
  open?: typeof openStream;
}

type Message =
  | { kind: "events"; events: Published[] }
  | { kind: "state"; state: StreamState }
  | { kind: "reset" }
  | { kind: "who" }
  | { kind: "retry" };

const NAME = "gptcode.events";

export function openChannel(listeners: ChannelListeners, deps: Deps): Channel {
  const open = deps.open ?? openStream;
  const others = deps.locks && deps.broadcast ? deps.broadcast(NAME) : undefined;
  const leaving = new AbortController();
  let stream: Stream | undefined;
  let state: StreamState = "connecting";
  let last: number | undefined;

  const hear = (events: Published[]) => {
    for (const { seq } of events) if (seq !== undefined) last = Math.max(last ?? 0, seq);
    listeners.onEvents(events);
  };
  const become = (next: StreamState) => {
    state = next;
    listeners.onState(next);
  };
  const tell = (message: Message) => others?.postMessage(message);

  function lead(): void {
    stream = open({
      url: deps.url,
      after: last,
      // Between the tab that led and this one taking over.
      missed: state !== "connecting",
      onEvents: (events) => {
        hear(events);
        tell({ kind: "events", events });
      },
      onReset: () => {
        last = undefined;
        listeners.onReset();
        tell({ kind: "reset" });
      },
      onState: (next) => {
        become(next);
        tell({ kind: "state", state: next });
      },
    });
  }

  function follow({ data }: MessageEvent<Message>): void {
    switch (data.kind) {
      case "events":
        hear(data.events);
        return;
      case "state":
        become(data.state);
        return;
      case "reset":
        last = undefined;
        listeners.onReset();
        return;
      case "who":
        if (stream) tell({ kind: "state", state });
        return;
      case "retry":
        stream?.retryNow();
        return;
      default:
        data satisfies never;
    }
  }

  if (others && deps.locks) {
    others.addEventListener("message", follow);
    tell({ kind: "who" });
    deps.locks
      .request(NAME, { signal: leaving.signal }, () => {
        lead();
        return new Promise<void>((release) => {
          leaving.signal.addEventListener("abort", () => release(), { once: true });
        });
      })
      .catch(() => {});
  } else {
    lead();
  }

  return {
    close() {
      leaving.abort();
      stream?.close();
      others?.close();
    },
    retryNow() {
      if (stream) stream.retryNow();
      else tell({ kind: "retry" });
    },
  };
}
