/** The providers of models: add, change, remove, and test one of their models. */
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { ApiError, api, type ErrorShape, type ProviderInfo, type TestResult } from "../../lib/api";
import { refreshModels, useModels, useSettings } from "../../lib/lists";
import type { ModelInfo } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Dialog } from "../../ui/Dialog";
import { IconButton } from "../../ui/IconButton";
import { reportError } from "../../ui/report";
import { ProviderForm } from "./ProviderForm";
import { hostOf } from "./presets";
import { removeProvider } from "./setup";
import { VisionChoice } from "./VisionChoice";

const OPENAI = "https://api.openai.com/v1";
type Mode = "list" | "add" | ProviderInfo;

export function ModelsDialog({ onClose }: { onClose: () => void }) {
  const words = useWords().providers;
  const { data } = useSettings();
  const listed = useModels().data?.models ?? [];
  const [mode, setMode] = useState<Mode>("list");
  const [leaving, setLeaving] = useState<ProviderInfo>();
  useEffect(() => void refreshModels().catch(() => {}), []);
  const all = data?.providers ?? [];
  const back = () => setMode("list");
  return (
    <Dialog open onClose={onClose} title={words.title} lead={words.lead}>
      {mode === "list" ? (
        <>
          <ul className="flex flex-col gap-2">
            {all.map((one) => (
              <Row key={one.id} one={one} models={listed.filter((model) => isOf(model, one))}>
                <IconButton small label={words.edit(one.name)} onClick={() => setMode(one)}>
                  <Pencil size={15} aria-hidden />
                </IconButton>
                {one.source === "page" && (
                  <IconButton small label={words.remove(one.name)} onClick={() => setLeaving(one)}>
                    <Trash2 size={15} aria-hidden />
                  </IconButton>
                )}
              </Row>
            ))}
            {(data?.local_servers ?? []).map((one) => (
              <Row
                key={one.id}
                one={{ ...one, source: "local", key_in: null }}
                models={listed.filter(({ id }) => one.models.includes(id))}
              />
            ))}
          </ul>
          {data && all.length + data.local_servers.length === 0 && (
            <p className="text-sm text-muted">{words.none}</p>
          )}
          <Button className="self-start" onClick={() => setMode("add")}>
            <Plus size={16} aria-hidden />
            {words.add}
          </Button>
          {data && listed.length > 0 && <VisionChoice models={listed} chosen={data.vision_model} />}
        </>
      ) : (
        <ProviderForm
          all={all}
          edited={mode === "add" ? undefined : mode}
          onSaved={back}
          onCancel={back}
        />
      )}
      <ConfirmDialog
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        onConfirm={() => leaving && void removeProvider(all, leaving.id).catch(reportError)}
        title={words.removeTitle}
        body={words.removeBody(leaving?.name ?? "")}
        action={words.removeAction}
        danger
      />
    </Dialog>
  );
}

function isOf(model: ModelInfo, one: ProviderInfo): boolean {
  if (one.source === "environment") return model.provider === one.name && !isPrefixed(model, one);
  return isPrefixed(model, one);
}

const isPrefixed = ({ id }: ModelInfo, one: ProviderInfo) => id.startsWith(`${one.id}/`);

interface RowProps {
  one: Pick<ProviderInfo, "name" | "base_url" | "key_in"> & { source: ProviderInfo["source"] };
  models: ModelInfo[];
  children?: React.ReactNode;
}

function Row({ one, models, children }: RowProps) {
  const words = useWords().providers;
  const [chosen, setChosen] = useState<string>();
  const model = models.find(({ id }) => id === chosen) ?? models[0];
  const about = [
    hostOf(one.base_url ?? OPENAI),
    words.from[one.source],
    one.source !== "local" && (one.key_in ? words.keyIn(words.keptIn[one.key_in]) : words.noKey),
  ];
  return (
    <li className="rounded-md border border-line p-3">
      <div className="flex items-center gap-1">
        <span className="min-w-0 flex-1 truncate text-sm font-medium">{one.name}</span>
        {children}
      </div>
      <p className="text-[13px] [overflow-wrap:anywhere] text-muted">
        {about.filter(Boolean).join(" · ")}
      </p>
      {model && (
        <div className="mt-2 flex flex-wrap items-center gap-2">
          <select
            aria-label={words.models}
            value={model.id}
            onChange={(event) => setChosen(event.target.value)}
            className="h-8 min-w-0 flex-1 rounded-md border border-line-strong bg-bg px-2 text-[13px]"
          >
            {models.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
          <TestButton key={model.id} model={model.id} />
        </div>
      )}
    </li>
  );
}

type Outcome = { told: TestResult } | { problem: ErrorShape } | "busy" | undefined;

function TestButton({ model }: { model: string }) {
  const words = useWords().providers;
  const [outcome, setOutcome] = useState<Outcome>();

  async function test(): Promise<void> {
    setOutcome("busy");
    try {
      setOutcome({ told: await api.testModel(model) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setOutcome({ problem: error });
    }
  }

  const known = typeof outcome === "object" ? outcome : undefined;
  return (
    <>
      <Button small disabled={outcome === "busy"} onClick={() => void test()}>
        {outcome === "busy" ? words.testing : words.test}
      </Button>
      <div aria-live="polite" className="w-full text-[13px] empty:hidden">
        {known && "told" in known && <p className="text-ok">{toldOf(known.told, words)}</p>}
        {known && "problem" in known && (
          <p className="[overflow-wrap:anywhere]">
            <span className="text-danger">{known.problem.message}</span> {known.problem.hint}
          </p>
        )}
      </div>
    </>
  );
}

function toldOf(told: TestResult, words: ReturnType<typeof useWords>["providers"]): string {
  const { tools, vision, context_window: window, streams, reasoning, temperature } = told.learnt;
  const learnt = [
    words.works(told.seconds),
    tools !== null && tools !== undefined && (tools ? words.tools : words.noTools),
    vision !== null && vision !== undefined && (vision ? words.vision : words.noVision),
    reasoning === true && words.thinks,
    streams === false && words.noStream,
    temperature === false && words.noTemperature,
    typeof window === "number" && words.window(window),
  ];
  return learnt.filter(Boolean).join(" · ");
}
