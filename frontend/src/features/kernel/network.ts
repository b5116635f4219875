/** What is known of a conversation's network. */
import type { Transcript } from "../../protocol/generated";

/** Whether its code reaches the network; before a kernel was there, whether it will. */
export function hasNetwork({ kernel, network, turns }: Transcript): boolean {
  const seen = kernel.kernel_id !== undefined || turns.length > 0;
  return seen ? kernel.network : (network ?? kernel.network);
}
