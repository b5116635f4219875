import { LoaderCircle } from "lucide-react";

/** Something is under way; what, is said beside it. */
export function Spinner({ size = 16 }: { size?: number }) {
  return <LoaderCircle size={size} className="spin shrink-0 text-muted" aria-hidden />;
}
