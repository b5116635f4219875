/** Tells screen readers when an answer begins and ends, not every word of it. */
import { useEffect } from "react";
import { useWords, type Words } from "../i18n";
import { onEvents } from "../lib/live";
import type { ConversationEvent } from "../protocol/generated";
import { announce } from "../ui/Announcer";

export function useAnnouncements(id: string | undefined): void {
  const words = useWords();
  useEffect(
    () =>
      onEvents((events) => {
        for (const { conversation_id, event } of events) {
          const text = conversation_id === id ? wordsFor(event, words) : undefined;
          if (text !== undefined) announce(text);
        }
      }),
    [id, words],
  );
}

function wordsFor(event: ConversationEvent, { a11y }: Words): string | undefined {
  if (event.type === "turn_started") return a11y.started;
  if (event.type === "input_requested") return a11y.asksInput;
  if (event.type === "approval_requested") return a11y.asksApproval;
  if (event.type !== "turn_finished") return undefined;
  if (event.status === "failed") return a11y.failed;
  return event.status === "stopped" ? a11y.stopped : a11y.finished;
}
