/** The address: `#/c/<id>` is a conversation, anything else the empty page. */
import { useSyncExternalStore } from "react";
import { unescaped } from "./percent";

export function conversationIn(hash: string): string | undefined {
  const id = /^#\/c\/([^/?]+)$/.exec(hash)?.[1];
  return id === undefined ? undefined : unescaped(id);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useConversationId(): string | undefined {
  return useSyncExternalStore(subscribe, () => conversationIn(location.hash));
}

export function hrefOf(id: string | undefined): string {
  return id === undefined ? "#/" : `#/c/${encodeURIComponent(id)}`;
}

/** Goes to a conversation, or to the empty page. `replace`: the present one is no longer there. */
export function go(id: string | undefined, replace = false): void {
  if (location.hash === hrefOf(id)) return;
  if (!replace) {
    location.hash = hrefOf(id);
    return;
  }
  history.replaceState(null, "", hrefOf(id));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
