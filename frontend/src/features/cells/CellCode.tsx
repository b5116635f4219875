/** The code of a cell: whole while it is written and runs, then at most twelve lines of it. */
import { useWords } from "../../i18n";
import { CodeBlock } from "../../render/highlight/CodeBlock";
import { Button } from "../../ui/Button";

const SHOWN_LINES = 12;
/** Folding away fewer lines than this would hide more than it saves. */
const WORTH = 3;

interface Props {
  code: string;
  language: string;
  writing: boolean;
  /** It is being written or runs: nothing is folded. */
  live: boolean;
  all: boolean;
  onAll: (all: boolean) => void;
  /** Lines to look at, from 1. */
  marks?: readonly number[] | undefined;
}

export function CellCode({ code, language, writing, live, all, onAll, marks = [] }: Props) {
  const words = useWords();
  const lines = code.trimEnd().split("\n").length;
  const foldable = !live && lines > SHOWN_LINES + WORTH;
  return (
    <div className="cell-code bg-code">
      <div className={foldable && !all ? "cell-clamp" : "relative"}>
        {[...new Set(marks)].map((line) => (
          <span
            key={line}
            data-mark={line}
            className="cell-mark"
            style={{ top: `calc(0.375rem + ${line - 1} * 1.6 * 0.8125rem)` }}
            aria-hidden
          />
        ))}
        <CodeBlock code={code} language={language} streaming={writing} copyable={false} />
      </div>
      {foldable && (
        <div className="px-3 pb-3">
          <Button small aria-expanded={all} onClick={() => onAll(!all)}>
            {all ? words.cell.fewerLines : words.cell.allLines(lines)}
          </Button>
        </div>
      )}
    </div>
  );
}
