/**
 * The live side of the page: one channel of events feeding the transcripts and the lists, and the
 * state of the connection for all to see.
 */
import { useCallback, useSyncExternalStore } from "react";
import { create } from "zustand";
import type { Published } from "../protocol/generated";
import { api, apiUrl, reportUnauthenticated } from "./api";
import { type Channel, openChannel } from "./channel";
import { hearEvents, refreshLists, retryLists } from "./lists";
import type { StreamState } from "./sse";
import { type Loaded, TranscriptStore } from "./store";
import { hearKernels } from "./variables";

interface Connection {
  state: StreamState;
  /** Since when it has been offline, in ms since 1970. */
  since: number | undefined;
}

export const useConnection = create<Connection>(() => ({ state: "connecting", since: undefined }));

/** Transcripts wait this long for the stream, so that nothing falls between the two. */
const PATIENCE_MS = 1_000;

let first = firstLive();

function firstLive() {
  let arrive: () => void = () => {};
  const live = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { live, arrive, here: false, early: false };
}

export const transcripts = new TranscriptStore(async (id) => {
  if (!first.here) {
    await Promise.race([first.live, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    if (!first.here) first.early = true;
  }
  return api.transcript(id);
});

export function useTranscript(id: string): Loaded {
  const subscribe = useCallback(
    (listener: () => void) => transcripts.subscribe(id, listener),
    [id],
  );
  return useSyncExternalStore(subscribe, () => transcripts.get(id));
}

type Hear = (events: readonly Published[]) => void;
const hearers = new Set<Hear>();

/** Hears every event as it arrives; returns how to stop. */
export function onEvents(hear: Hear): () => void {
  hearers.add(hear);
  return () => hearers.delete(hear);
}

/** Connects, and keeps connected until the returned function is called. */
export function goLive(): () => void {
  const channel: Channel = openChannel(
    {
      onEvents: (events) => {
        transcripts.receive(events);
        hearEvents(events);
        hearKernels(events);
        for (const hear of hearers) hear(events);
      },
      onReset: () => {
        transcripts.refresh();
        refreshLists();
      },
      onState: hearState,
    },
    {
      url: apiUrl("events"),
      locks: navigator.locks,
      broadcast:
        typeof BroadcastChannel === "undefined" ? undefined : (name) => new BroadcastChannel(name),
    },
  );
  const retry = () => channel.retryNow();
  // A hidden tab's timers are slow; whoever looks at the page should not wait for them.
  const look = () => document.visibilityState === "visible" && retry();
  window.addEventListener("online", retry);
  document.addEventListener("visibilitychange", look);
  return () => {
    window.removeEventListener("online", retry);
    document.removeEventListener("visibilitychange", look);
    channel.close();
    // Whoever comes back reads again what was refused meanwhile.
    first = { ...firstLive(), early: true };
  };
}

function hearState(state: StreamState): void {
  const { since } = useConnection.getState();
  useConnection.setState({ state, since: state === "offline" ? (since ?? Date.now()) : undefined });
  if (state === "unauthenticated") reportUnauthenticated();
  if (state !== "live") return;
  // What was read before the stream was there may have missed what came between.
  if (!first.here) refreshLists();
  if (first.early) transcripts.refresh();
  first.early = false;
  first.here = true;
  first.arrive();
  if (since === undefined) return;
  retryLists();
  transcripts.retryFailed();
}
