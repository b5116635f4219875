import { useCallback } from "react";
import { fileUrl } from "../../lib/api";
import type { TextPart } from "../../protocol/generated";
import { Markdown } from "../../render/markdown/Markdown";

/** Text of the model, as Markdown that grows. */
export function AnswerText({ part, conversationId }: { part: TextPart; conversationId: string }) {
  const link = useCallback((path: string) => fileUrl(conversationId, path), [conversationId]);
  return (
    <div className="prose py-1.5">
      <Markdown text={part.text} streaming={!part.done} onFileLink={link} />
    </div>
  );
}
