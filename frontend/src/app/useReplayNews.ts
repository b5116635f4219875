/** Tells how a replay of the shown conversation ended: read out, and shown where it failed. */
import { useEffect } from "react";
import { useWords, type Words } from "../i18n";
import { onEvents } from "../lib/live";
import type { ReplayFinished } from "../protocol/generated";
import { announce } from "../ui/Announcer";
import { toast } from "../ui/Toast";

export function useReplayNews(id: string | undefined): void {
  const words = useWords();
  useEffect(
    () =>
      onEvents((events) => {
        for (const { conversation_id, event } of events) {
          if (conversation_id === id && event.type === "replay_finished") tell(event, words);
        }
      }),
    [id, words],
  );
}

function tell({ status, reason, difference }: ReplayFinished, { replay }: Words): void {
  if (status === "failed") toast({ text: replay.failed, hint: reason, bad: true });
  else if (status === "reproduces") announce(replay.reproduces);
  else if (difference) announce(replay.differs(difference.cell));
}
