/** What to do with a request that failed without a place of its own to say so. */
import { ApiError } from "../lib/api";
import { toast } from "./Toast";

/** Shows the error; a lost session has a page of its own. */
export function reportError(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  if (error.status !== 401) toast({ text: error.message, hint: error.hint, bad: true });
}
