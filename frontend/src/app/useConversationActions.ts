/** What the frame does to the conversation that is shown, or to the one that is about to be. */
import { useCallback, useMemo, useRef } from "react";
import { api } from "../lib/api";
import { draftOf, moveDraft, NEW } from "../lib/drafts";
import { transcripts } from "../lib/live";
import { conversationIn, go } from "../lib/route";
import { uploads } from "../lib/uploads";
import type { Transcript, Turn } from "../protocol/generated";
import { reportError } from "../ui/report";

export interface ConversationActions {
  /** The conversation's id; makes one and goes there if none is shown. */
  ensure: () => Promise<string>;
  /** Takes a conversation away that was made in vain; answers where its draft is now. */
  discard: (id: string) => Promise<string>;
  /** Uploads files for the next message. */
  attach: (files: File[]) => void;
  /** Uploads files into the workspace. */
  upload: (files: File[]) => void;
}

export function useConversationActions(id: string | undefined): ConversationActions {
  const making = useRef<Promise<string>>(undefined);
  const ensure = useCallback(() => {
    if (id !== undefined) return Promise.resolve(id);
    making.current ??= make().finally(() => {
      making.current = undefined;
    });
    return making.current;
  }, [id]);
  return useMemo(() => {
    const start = (attached: boolean) => (files: File[]) => {
      ensure().then((known) => uploads.start(known, files, attached), reportError);
    };
    return { ensure, discard, attach: start(true), upload: start(false) };
  }, [ensure]);
}

async function make(): Promise<string> {
  const created = await api.create({});
  if (Array.isArray(created.turns)) transcripts.adopt(created);
  moveDraft(NEW, created.id);
  go(created.id);
  return created.id;
}

async function discard(id: string): Promise<string> {
  const inUse = uploads.useUploads.getState().items.some((item) => item.conversationId === id);
  // Somebody who has begun another draft meanwhile keeps both.
  if (inUse || draftOf(NEW).text !== "") return id;
  moveDraft(id, NEW);
  if (conversationIn(location.hash) === id) go(undefined, true);
  await api.remove(id).catch(() => {});
  return NEW;
}

/** Asks an earlier question in other words: in a branch, which is shown at once. */
export async function askAnew(id: string, turn: Turn, text: string): Promise<void> {
  if (turn.turn_id === undefined) return;
  try {
    const branch = await api.fork(id, turn.turn_id);
    transcripts.adopt(branch);
    go(branch.id);
    await api.ask(branch.id, {
      prompt: text,
      attachments: turn.attachments,
      ...(turn.model !== undefined && { model: turn.model }),
    });
  } catch (error) {
    reportError(error);
    throw error;
  }
}

/** A turn or a cell of the person's runs. */
export function isRunning(transcript: Transcript): boolean {
  return transcript.turns.some(
    (turn) =>
      turn.status === "running" ||
      turn.parts.some((part) => part.type === "cell" && part.status === "running"),
  );
}

export function stopConversation(id: string | undefined): void {
  if (id === undefined) return;
  const loaded = transcripts.get(id);
  if (loaded.state === "failed" || loaded.transcript === undefined) return;
  if (isRunning(loaded.transcript)) void api.stop(id).catch(reportError);
}
