/** What is typed but not sent, by conversation; "new" is the one that does not exist yet. */
import { create } from "zustand";

export interface Draft {
  text: string;
  /** The text is Python to run, not a question. */
  code: boolean;
  /** The model picked for the next message, where it differs from the conversation's. */
  model?: string;
  /** It is on its way, or waits for its files. */
  sending?: boolean;
}

export const NEW = "new";
const EMPTY: Draft = { text: "", code: false };

interface Drafts {
  drafts: Readonly<Record<string, Draft>>;
}

export const useDrafts = create<Drafts>(() => ({ drafts: {} }));

export function useDraft(key: string): Draft {
  return useDrafts((state) => state.drafts[key] ?? EMPTY);
}

export function draftOf(key: string): Draft {
  return useDrafts.getState().drafts[key] ?? EMPTY;
}

export function changeDraft(key: string, change: Partial<Draft>): void {
  useDrafts.setState(({ drafts }) => ({
    drafts: { ...drafts, [key]: { ...EMPTY, ...drafts[key], ...change } },
  }));
}

/** This text was sent: it goes, what was typed after it stays. */
export function clearSent(key: string, sent: string): void {
  const { text } = draftOf(key);
  if (text.startsWith(sent)) changeDraft(key, { text: text.slice(sent.length) });
}

/** A new conversation has got its id: what was typed for it goes along. */
export function moveDraft(from: string, to: string): void {
  useDrafts.setState(({ drafts }) => {
    const { [from]: moved, ...rest } = drafts;
    return { drafts: moved ? { ...rest, [to]: moved } : rest };
  });
}
