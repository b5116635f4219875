/** What is typed but not sent, by conversation; "new" is the one that does not exist yet. */
import { create } from "zustand";

export interface Draft {
  text: string;
  /** The text is Python to run, not a question. */
  code: boolean;
  /** The model picked for the next message, where it differs from the conversation's. */
  model?: string;
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

/** A new conversation has got its id: what was typed for it goes along. */
export function moveDraft(from: string, to: string): void {
  useDrafts.setState(({ drafts }) => {
    const { [from]: moved, ...rest } = drafts;
    return { drafts: moved ? { ...rest, [to]: moved } : rest };
  });
}
