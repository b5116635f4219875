/** A kind of reason in the person's language; one that the page does not know as the server says it. */
import type { Reason } from "../protocol/generated";
import type { Words } from ".";

export function reasonText(reason: Reason, words: Words): string {
  return kindText(reason.kind ?? "", words) ?? reason.text;
}

export function kindText(kind: string, words: Words): string | undefined {
  if (kind.startsWith("tool:")) return words.approval.tool;
  const kinds: Record<string, string> = words.approval.kinds;
  return Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
}
