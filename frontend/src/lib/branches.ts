/** Conversations that answer one question differently: which they are, and in what order. */
import type { ConversationSummary, ParentLink, Transcript } from "../protocol/generated";
import { useConversations } from "./lists";

/** Where branches part: a question of a conversation. */
export interface Fork {
  conversation: string;
  turn: string;
}

/** The fork that a question stands at: its own, or the one its conversation began at. */
export function forkAt(
  { id, parent }: Pick<Transcript, "id" | "parent">,
  turnId: string,
  asked: number,
): Fork {
  return parent && parent.turns === asked ? forkOf(parent) : { conversation: id, turn: turnId };
}

export function forkOf(parent: ParentLink): Fork {
  return { conversation: parent.conversation_id, turn: parent.before_turn };
}

/** Every branch at a fork, the first one first; one alone is none. */
export function branchesAt(list: readonly ConversationSummary[], fork: Fork): string[] {
  const found = list
    .filter(
      ({ id, parent }) =>
        id === fork.conversation ||
        (parent?.conversation_id === fork.conversation && parent.before_turn === fork.turn),
    )
    .toSorted((a, b) => a.created_at.localeCompare(b.created_at))
    .map(({ id }) => id);
  return found.length > 1 ? found : [];
}

export function useBranches(fork: Fork): string[] {
  return branchesAt(useConversations("").data ?? [], fork);
}
