/** One provider: who it is, where it is asked, and its key, which only goes in. */
import { type ReactNode, useId, useState } from "react";
import { useWords } from "../../i18n";
import { ApiError, type ErrorShape, type ProviderInfo } from "../../lib/api";
import { Button } from "../../ui/Button";
import { formText } from "../../ui/formText";
import { freeId, hostOf, namesIn, PRESETS, type Preset } from "./presets";
import { type Saved, saveProvider } from "./setup";

interface Props {
  all: readonly ProviderInfo[];
  /** The one to change; none for a new one. */
  edited?: ProviderInfo | undefined;
  onSaved: (saved: Saved) => void;
  onCancel?: () => void;
}

const FIELD =
  "h-10 w-full rounded-md border border-line-strong bg-bg px-3 text-base placeholder:text-faint sm:text-sm";
const OTHER = PRESETS.at(-1) as Preset;

export function ProviderForm({ all, edited, onSaved, onCancel }: Props) {
  const words = useWords().providers;
  const common = useWords().common;
  const [preset, setPreset] = useState<Preset>(() =>
    edited === undefined ? (PRESETS[0] as Preset) : presetOf(edited),
  );
  const [url, setUrl] = useState(edited?.base_url ?? preset.baseUrl);
  const [id, setId] = useState(edited?.id);
  const [problem, setProblem] = useState<ErrorShape>();
  const [busy, setBusy] = useState(false);
  const fixed = edited !== undefined && edited.source !== "page";
  const azure = preset.kind === "azure";

  async function save(form: HTMLFormElement): Promise<void> {
    const name = formText(form, "name").trim() || preset.name || hostOf(url);
    const key = formText(form, "key").trim();
    const row = id ?? freeId(name, all);
    setBusy(true);
    setProblem(undefined);
    try {
      const saved = await saveProvider(all, {
        id: row,
        ...(!fixed && {
          name,
          kind: preset.kind,
          base_url: url.trim() || null,
          api_version: formText(form, "version").trim() || null,
          models: models(form, edited),
          extra_headers: edited?.extra_headers ?? {},
        }),
        ...(key !== "" && { key }),
      });
      if (saved.problem !== undefined) return setProblem(saved.problem);
      // What was saved is mended, not added a second time.
      setId(row);
      if (saved.model === undefined && !fixed) setProblem({ message: words.noModels });
      else onSaved(saved);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      className="flex flex-col gap-3 text-left"
      onSubmit={(event) => {
        event.preventDefault();
        void save(event.currentTarget);
      }}
    >
      {edited === undefined && (
        <Labelled label={words.provider}>
          {(field) => (
            <select
              id={field}
              className={FIELD}
              value={preset.id}
              onChange={(event) => {
                const next = PRESETS.find((one) => one.id === event.target.value) ?? OTHER;
                setPreset(next);
                setUrl(next.baseUrl);
              }}
            >
              {PRESETS.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name || words.other}
                </option>
              ))}
            </select>
          )}
        </Labelled>
      )}
      {!fixed && (preset.id === "other" || edited !== undefined) && (
        <Labelled label={words.name}>
          {(field) => (
            <input id={field} name="name" defaultValue={edited?.name} className={FIELD} />
          )}
        </Labelled>
      )}
      {!fixed && (preset.id !== "openai" || edited !== undefined) && (
        <Labelled label={words.url} note={edited?.key_in ? words.urlNote : undefined}>
          {(field) => (
            <input
              id={field}
              name="url"
              type="url"
              required={azure || preset.id === "other"}
              value={url}
              placeholder={azure ? "https://….openai.azure.com" : "https://…/v1"}
              onChange={(event) => setUrl(event.target.value)}
              className={FIELD}
            />
          )}
        </Labelled>
      )}
      {!fixed && azure && (
        <Labelled label={words.version}>
          {(field) => (
            <input
              id={field}
              name="version"
              defaultValue={edited?.api_version ?? "2024-10-21"}
              className={FIELD}
            />
          )}
        </Labelled>
      )}
      {!fixed && (azure || preset.id === "other" || edited !== undefined) && (
        <Labelled
          label={azure ? words.deployments : words.models}
          note={azure ? undefined : words.modelsNote}
        >
          {(field) => (
            <input
              id={field}
              name="models"
              required={azure}
              defaultValue={edited?.models.map(({ name }) => name).join(", ")}
              className={FIELD}
            />
          )}
        </Labelled>
      )}
      <Labelled label={words.key} note={words.keyNote}>
        {(field) => (
          <input
            id={field}
            name="key"
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder={edited?.key_in ? words.keyKept(words.keptIn[edited.key_in]) : ""}
            disabled={edited?.key_in === "environment"}
            className={FIELD}
          />
        )}
      </Labelled>
      {url !== "" && <p className="text-[13px] text-muted">{words.goesTo(hostOf(url))}</p>}
      {problem && (
        <div ref={intoView} role="alert" className="rounded-md bg-danger-soft px-3 py-2 text-sm">
          <p className="[overflow-wrap:anywhere]">{problem.message}</p>
          {problem.hint && <p className="text-muted">{problem.hint}</p>}
        </div>
      )}
      <div className="flex justify-end gap-2">
        {onCancel && <Button onClick={onCancel}>{common.cancel}</Button>}
        <Button type="submit" look="primary" disabled={busy}>
          {busy ? words.connecting : words.connect}
        </Button>
      </div>
    </form>
  );
}

/** What went wrong is seen, wherever the form ends. */
function intoView(element: HTMLElement | null): void {
  element?.scrollIntoView?.({ block: "center" });
}

function presetOf(one: ProviderInfo): Preset {
  return { ...OTHER, kind: one.kind, name: one.name };
}

/** The names that were typed; one that stayed keeps how it is shown. */
function models(form: HTMLFormElement, edited: ProviderInfo | undefined) {
  const known = edited?.models ?? [];
  return namesIn(formText(form, "models")).map(
    (name) => known.find((one) => one.name === name) ?? { name, displayName: name },
  );
}

interface LabelledProps {
  label: string;
  note?: string | undefined;
  children: (field: string) => ReactNode;
}

function Labelled({ label, note, children }: LabelledProps) {
  const field = useId();
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={field} className="text-sm font-medium">
        {label}
      </label>
      {children(field)}
      {note && <p className="text-[13px] text-muted">{note}</p>}
    </div>
  );
}
