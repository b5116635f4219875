/** Which model answers next; can be changed in the middle of a conversation. */
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import type { ModelList } from "../../lib/api";
import { refreshModels } from "../../lib/lists";
import type { ModelInfo } from "../../protocol/generated";
import {
  Menu,
  MenuChoice,
  MenuItem,
  MenuLabel,
  MenuLine,
  MenuNote,
  MenuOption,
} from "../../ui/Menu";
import { reportError } from "../../ui/report";
import { TextDialog } from "../../ui/TextDialog";

interface Props {
  models: ModelInfo[];
  current: string | undefined;
  onChoose: (id: string) => void;
  /** The person wants to add or change providers. */
  onManage: () => void;
}

export function ModelMenu({ models, current, onChoose, onManage }: Props) {
  const words = useWords();
  const [typing, setTyping] = useState(false);
  const { ask, asking, problems } = useAsked();
  const name = models.find(({ id }) => id === current)?.name ?? current ?? words.model.none;
  return (
    <>
      <Menu
        align="start"
        className="w-72"
        onOpenChange={(open) => open && ask()}
        trigger={
          <button
            type="button"
            aria-label={`${words.model.choose}: ${name}`}
            className="touch inline-flex h-9 min-w-0 items-center gap-1.5 rounded-md px-2.5 text-[15px] font-medium transition-colors hover:bg-hover data-[state=open]:bg-hover"
          >
            <span className="truncate">{name}</span>
            <ChevronDown size={16} className="shrink-0 text-muted" aria-hidden />
          </button>
        }
      >
        <MenuChoice value={current ?? ""} onChange={onChoose} label={words.model.choose}>
          {withTyped(models, current).map(([provider, rows]) => (
            <div key={provider}>
              {provider !== "" && <MenuLabel>{provider}</MenuLabel>}
              {rows.map((model) => (
                <MenuOption key={model.id} value={model.id}>
                  <ModelLine model={model} />
                </MenuOption>
              ))}
            </div>
          ))}
        </MenuChoice>
        {asking && <MenuNote>{words.providers.refreshing}</MenuNote>}
        {problems.map(({ provider, error }) => (
          <MenuNote key={provider}>{`${provider}: ${error.message}`}</MenuNote>
        ))}
        <MenuLine />
        <MenuItem onSelect={() => setTyping(true)}>{words.model.other}</MenuItem>
        <MenuItem onSelect={onManage}>{words.providers.manage}</MenuItem>
      </Menu>
      <TextDialog
        open={typing}
        onClose={() => setTyping(false)}
        onSave={onChoose}
        title={words.model.otherTitle}
        label={words.model.otherLabel}
        action={words.model.otherSave}
      />
    </>
  );
}

/** The providers' own lists, asked for each time the menu opens. */
function useAsked() {
  const [asking, setAsking] = useState(false);
  const [problems, setProblems] = useState<NonNullable<ModelList["problems"]>>([]);
  const ask = () => {
    setAsking(true);
    refreshModels()
      .then((fresh) => setProblems(fresh.problems ?? []), reportError)
      .finally(() => setAsking(false));
  };
  return { ask, asking, problems };
}

function ModelLine({ model }: { model: ModelInfo }) {
  const words = useWords();
  if (model.id !== "demo") {
    return (
      <span className="[overflow-wrap:anywhere]">
        {model.name}
        <Learnt model={model} />
      </span>
    );
  }
  return (
    <span>
      <span className="flex items-center gap-2">
        {model.name}
        <span className="shrink-0 rounded-sm bg-warn-soft px-1.5 text-[11px] font-medium whitespace-nowrap text-warn">
          {words.model.demo}
        </span>
      </span>
      <span className="block text-xs text-muted">{words.model.demoNote}</span>
    </span>
  );
}

/** What the model's answers have told of it so far. */
function Learnt({ model: { tools, vision } }: { model: ModelInfo }) {
  const words = useWords().providers;
  const told = [
    typeof tools === "boolean" && (tools ? words.tools : words.noTools),
    typeof vision === "boolean" && (vision ? words.vision : words.noVision),
  ].filter(Boolean);
  return told.length > 0 && <span className="block text-xs text-muted">{told.join(" · ")}</span>;
}

/** The models by provider, with the one in use even if the list does not have it. */
function withTyped(models: ModelInfo[], current: string | undefined): [string, ModelInfo[]][] {
  const known = current === undefined || models.some(({ id }) => id === current);
  const all = known ? models : [...models, { id: current, name: current, provider: "" }];
  const groups = new Map<string, ModelInfo[]>();
  for (const model of all)
    groups.set(model.provider, [...(groups.get(model.provider) ?? []), model]);
  return [...groups];
}
