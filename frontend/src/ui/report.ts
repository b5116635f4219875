/** How requests that failed are told. */
import type { Words } from "../i18n";
import { ApiError } from "../lib/api";
import { toast } from "./Toast";

/** The server's words, or ours where the browser's are all there is. */
export function messageOf(error: ApiError, words: Words): string {
  return error.code === "unreachable" ? words.status.unreachable : error.message;
}

/** Shows an error that has no place of its own; a lost session has a page of its own. */
export function reportError(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) return;
  toast({ text: (words) => messageOf(error, words), hint: error.hint, bad: true });
}
