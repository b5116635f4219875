/** Leads from one branch of a question to the others. */
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useWords } from "../../i18n";
import { type Fork, useBranches } from "../../lib/branches";
import { go } from "../../lib/route";
import { IconButton } from "../../ui/IconButton";

interface Props {
  fork: Fork;
  conversationId: string;
}

export function BranchSwitch({ fork, conversationId }: Props) {
  const words = useWords();
  const branches = useBranches(fork);
  const here = branches.indexOf(conversationId);
  if (here < 0) return null;
  const to = (step: number) => {
    const id = branches[here + step];
    return { disabled: id === undefined, onClick: () => id !== undefined && go(id) };
  };
  return (
    <div role="group" aria-label={words.branch.label} className="flex items-center text-muted">
      <IconButton small label={words.branch.previous} {...to(-1)}>
        <ChevronLeft size={16} aria-hidden />
      </IconButton>
      <span className="px-0.5 text-xs tabular-nums">
        {words.branch.place(here + 1, branches.length)}
      </span>
      <IconButton small label={words.branch.next} {...to(1)}>
        <ChevronRight size={16} aria-hidden />
      </IconButton>
    </div>
  );
}
