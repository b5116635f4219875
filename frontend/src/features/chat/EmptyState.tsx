/** A new conversation: what this is for, and four ways to begin. */
import { FlaskConical, Lightbulb, SquareTerminal, TableProperties, Wrench } from "lucide-react";
import { useWords, type Words } from "../../i18n";
import { Mark } from "../../ui/Mark";

export type Suggestion = Words["empty"]["suggestions"][number];

const SHOWN = 4;
const ICONS = [TableProperties, FlaskConical, Wrench, Lightbulb] as const;

interface Props {
  /** The model is the scripted demo, which does not understand every question. */
  demo: boolean;
  onChoose: (suggestion: Suggestion) => void;
}

export function EmptyState({ demo, onChoose }: Props) {
  const words = useWords();
  const fitting = words.empty.suggestions.filter((one) => one.demo || !demo).slice(0, SHOWN);
  return (
    <div className="scroller centred flex min-h-0 flex-1 flex-col px-4">
      <div className="m-auto flex w-full max-w-2xl flex-col items-center gap-3 py-8 text-center">
        <Mark size={44} />
        <h2 className="mt-2 text-[1.75rem] leading-tight font-semibold tracking-tight text-balance">
          {words.empty.title}
        </h2>
        <p className="max-w-lg text-[15px] text-pretty text-muted">{words.empty.lead}</p>
        <ul className="mt-6 grid w-full gap-2.5 sm:grid-cols-2">
          {fitting.map((suggestion, index) => (
            <li key={suggestion.title}>
              <Card suggestion={suggestion} index={index} onChoose={onChoose} />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

interface CardProps {
  suggestion: Suggestion;
  index: number;
  onChoose: (suggestion: Suggestion) => void;
}

function Card({ suggestion, index, onChoose }: CardProps) {
  const { title, text, code } = suggestion;
  const Icon = code ? SquareTerminal : (ICONS[index] ?? Lightbulb);
  return (
    <button
      type="button"
      onClick={() => onChoose(suggestion)}
      className="flex h-full w-full gap-3 rounded-lg border border-line bg-raised p-3.5 text-left shadow-s transition-colors hover:border-line-strong hover:bg-hover"
    >
      <Icon size={18} className="mt-0.5 shrink-0 text-accent" aria-hidden />
      <span className="min-w-0">
        <span className="block text-sm font-medium">{title}</span>
        <span className={`line-clamp-2 text-[13px] text-muted ${code ? "font-mono text-xs" : ""}`}>
          {text}
        </span>
      </span>
    </button>
  );
}
