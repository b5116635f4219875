/** What a cell printed and drew, in order; the last ones when there are very many. */
import { memo, useMemo, useState } from "react";
import { useWords } from "../i18n";
import { fileSize } from "../i18n/format";
import { apiUrl } from "../lib/api";
import { firstThatSpeaks } from "../lib/instructions";
import type { CellOutputValue, TranscriptOutput, Truncation } from "../protocol/generated";
import { OutputGuard } from "./OutputGuard";
import { InstructionMark } from "../ui/InstructionMark";
import { outputTexts } from "./outputTexts";
import { OutputView } from "./OutputView";
import "./outputs.css";

/** Outputs on the page at first, and how many more come with each click. */
const MOUNTED = 50;

interface Props {
  outputs: readonly TranscriptOutput[];
  conversationId: string;
  cellId: string;
  /** The cell still runs: its last output may grow. */
  running: boolean;
  truncated?: Truncation | undefined;
}

export const OutputList = memo(function OutputList(props: Props) {
  const { outputs, conversationId, cellId, running, truncated } = props;
  const words = useWords();
  const [mounted, setMounted] = useState(MOUNTED);
  const first = Math.max(0, outputs.length - mounted);
  return (
    <div className="outputs">
      {first > 0 && (
        <button
          type="button"
          className="output-button"
          onClick={() => setMounted((count) => count + MOUNTED)}
        >
          {words.outputs.earlier(first)}
        </button>
      )}
      {outputs.slice(first).map(({ output }, index) => (
        // An output's place in its cell is its name: nothing is ever put in before it.
        // oxlint-disable-next-line react/no-array-index-key
        <OutputGuard key={first + index} output={output} message={words.crash.part}>
          <Speaks output={output} still={!running || first + index < outputs.length - 1} />
          <OutputView
            output={output}
            place={{ conversationId, cellId, index: first + index }}
            running={running && first + index === outputs.length - 1}
          />
        </OutputGuard>
      ))}
      {truncated && (
        <Truncated truncated={truncated} conversationId={conversationId} cellId={cellId} />
      )}
    </div>
  );
});

/** Marks an output that speaks to the model, once it does not grow any more. */
const Speaks = memo(function Speaks({
  output,
  still,
}: {
  output: CellOutputValue;
  still: boolean;
}) {
  const found = useMemo(
    () => (still ? firstThatSpeaks(outputTexts(output)) : null),
    [output, still],
  );
  return found === null ? null : <InstructionMark found={found} />;
});

interface TruncatedProps {
  truncated: Truncation;
  conversationId: string;
  cellId: string;
}

function Truncated({ truncated, conversationId, cellId }: TruncatedProps) {
  const words = useWords();
  const { locale } = words.time;
  const size = fileSize(truncated.bytes_total, locale);
  const lines = truncated.lines_total.toLocaleString(locale);
  const conversation = encodeURIComponent(conversationId);
  return (
    <p className="output-note">
      {words.outputs.truncated(size, lines)}
      {" · "}
      <a
        href={apiUrl(`conversations/${conversation}/cells/${encodeURIComponent(cellId)}/output`)}
        target="_blank"
        rel="noopener noreferrer"
      >
        {words.outputs.openFull}
      </a>
    </p>
  );
}
