import { useCallback } from "react";
import { fileLink } from "../../lib/fileLink";
import type { TextPart } from "../../protocol/generated";
import { Markdown } from "../../render/markdown/Markdown";

/** Text of the model, as Markdown that grows. */
export function AnswerText({ part, conversationId }: { part: TextPart; conversationId: string }) {
  const link = useCallback((path: string) => fileLink(conversationId, path), [conversationId]);
  return (
    <div className="prose py-1.5">
      <Markdown text={part.text} streaming={!part.done} onFileLink={link} />
    </div>
  );
}
