/** Who is there: known, not known, or being found out. The code of the start link is good once. */
import { create } from "zustand";
import { ApiError, api } from "./api";
import { unescaped } from "./percent";

export type SessionState = "unknown" | "in" | "out";

export const useSession = create<{ state: SessionState }>(() => ({ state: "unknown" }));

/** The code in what was pasted or opened: a whole link, its fragment, or the bare code. */
export function codeIn(text: string): string | undefined {
  const trimmed = text.trim();
  const marked = /[#&?]code=([^&\s]+)/.exec(trimmed)?.[1];
  if (marked !== undefined) return unescaped(marked);
  return trimmed === "" || /[\s/#]/.test(trimmed) ? undefined : trimmed;
}

export async function signIn(code: string): Promise<void> {
  await api.signIn(code);
  useSession.setState({ state: "in" });
}

/**
 * Signs in with the code of the address, which is dropped from it at once, then finds out with
 * `probe`, a request that needs a session, whether there is one.
 */
export async function beginSession(probe: () => Promise<unknown>): Promise<void> {
  const code = /[#&]code=/.test(location.hash) ? codeIn(location.hash) : undefined;
  if (code !== undefined) {
    history.replaceState(null, "", location.pathname + location.search);
    // A used code is no matter where an earlier session of this browser still holds.
    await api.signIn(code).catch(() => {});
  }
  const out = await probe().then(
    () => false,
    (error: unknown) => error instanceof ApiError && error.status === 401,
  );
  useSession.setState({ state: out ? "out" : "in" });
}

export function endSession(): void {
  useSession.setState({ state: "out" });
}
