/** One MCP server: a program on this computer or an address, or what another program keeps. */
import { type ReactNode, useId, useState } from "react";
import { useWords } from "../../i18n";
import { ApiError, type ErrorShape, type ToolServer, type ToolServerChange } from "../../lib/api";
import { Button } from "../../ui/Button";
import { formText } from "../../ui/formText";
import { linesIn, pairsIn, pairsText, serversIn } from "./rows";

interface Props {
  edited: ToolServer | undefined;
  onSave: (servers: ToolServerChange[]) => Promise<void>;
  onCancel: () => void;
}

type Kind = "command" | "url" | "json";
const FIELD =
  "w-full rounded-md border border-line-strong bg-bg px-3 text-base placeholder:text-faint sm:text-sm";
const LINE = `${FIELD} h-10`;
const TEXT = `${FIELD} py-2 font-mono`;

export function ServerForm({ edited, onSave, onCancel }: Props) {
  const words = useWords().tools;
  const common = useWords().common;
  const [kind, setKind] = useState<Kind>(edited?.url ? "url" : "command");
  const [problem, setProblem] = useState<Pick<ErrorShape, "message" | "hint">>();
  const [busy, setBusy] = useState(false);

  async function save(form: HTMLFormElement): Promise<void> {
    const servers = kind === "json" ? serversIn(formText(form, "json")) : oneIn(form, kind);
    if (servers === undefined)
      return setProblem({ message: kind === "json" ? words.notJson : words.notPairs });
    setBusy(true);
    setProblem(undefined);
    try {
      await onSave(servers);
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
      <Labelled label={words.kind}>
        {(id) => (
          <select
            id={id}
            className={LINE}
            value={kind}
            onChange={(event) => setKind(event.target.value as Kind)}
          >
            <option value="command">{words.kinds.command}</option>
            <option value="url">{words.kinds.url}</option>
            {edited === undefined && <option value="json">{words.kinds.json}</option>}
          </select>
        )}
      </Labelled>
      {kind !== "json" && (
        <Labelled label={words.name}>
          {(id) => (
            <input id={id} name="name" required defaultValue={edited?.name} className={LINE} />
          )}
        </Labelled>
      )}
      {kind === "command" && <Command edited={edited} />}
      {kind === "url" && <Address edited={edited} />}
      {kind === "json" && (
        <Labelled label={words.json}>
          {(id) => (
            <textarea
              id={id}
              name="json"
              rows={8}
              required
              spellCheck={false}
              placeholder={'{"mcpServers": {"files": {"command": "…", "args": ["…"]}}}'}
              className={TEXT}
            />
          )}
        </Labelled>
      )}
      {kind !== "json" && (
        <>
          <Tick name="enabled" label={words.enabled} on={edited?.enabled ?? true} />
          <Tick
            name="trust"
            label={words.trust}
            note={words.trustNote}
            on={edited?.trust ?? false}
          />
        </>
      )}
      <p className="text-[13px] text-muted">{words.warning}</p>
      {problem && (
        <div role="alert" className="rounded-md bg-danger-soft px-3 py-2 text-sm">
          <p className="[overflow-wrap:anywhere]">{problem.message}</p>
          {problem.hint && <p className="text-muted">{problem.hint}</p>}
        </div>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{common.cancel}</Button>
        <Button type="submit" look="primary" disabled={busy}>
          {busy ? words.checking : words.save}
        </Button>
      </div>
    </form>
  );

  function oneIn(form: HTMLFormElement, of: "command" | "url"): ToolServerChange[] | undefined {
    const common = {
      name: formText(form, "name").trim(),
      enabled: formText(form, "enabled") === "on",
      trust: formText(form, "trust") === "on",
      timeout: edited?.timeout ?? null,
    };
    if (of === "url") {
      const headers = pairsIn(formText(form, "headers"), ":");
      return headers && [{ ...common, url: formText(form, "url").trim(), headers }];
    }
    const env = pairsIn(formText(form, "env"), "=");
    const command = formText(form, "command").trim();
    const args = linesIn(formText(form, "args"));
    return env && [{ ...common, command, args, env, cwd: edited?.cwd ?? null }];
  }
}

function Command({ edited }: { edited: ToolServer | undefined }) {
  const words = useWords().tools;
  return (
    <>
      <Labelled label={words.command}>
        {(id) => (
          <input
            id={id}
            name="command"
            required
            defaultValue={edited?.command ?? ""}
            placeholder="npx"
            spellCheck={false}
            className={LINE}
          />
        )}
      </Labelled>
      <Labelled label={words.args}>
        {(id) => (
          <textarea
            id={id}
            name="args"
            rows={3}
            defaultValue={edited?.args.join("\n")}
            spellCheck={false}
            className={TEXT}
          />
        )}
      </Labelled>
      <Labelled label={words.env} note={words.secretNote}>
        {(id) => (
          <textarea
            id={id}
            name="env"
            rows={2}
            defaultValue={pairsText(edited?.env ?? {}, "=")}
            placeholder="API_KEY=…"
            autoComplete="off"
            spellCheck={false}
            className={TEXT}
          />
        )}
      </Labelled>
    </>
  );
}

function Address({ edited }: { edited: ToolServer | undefined }) {
  const words = useWords().tools;
  return (
    <>
      <Labelled label={words.url}>
        {(id) => (
          <input
            id={id}
            name="url"
            type="url"
            required
            defaultValue={edited?.url ?? ""}
            placeholder="https://…/mcp"
            className={LINE}
          />
        )}
      </Labelled>
      <Labelled label={words.headers} note={words.secretNote}>
        {(id) => (
          <textarea
            id={id}
            name="headers"
            rows={2}
            defaultValue={pairsText(edited?.headers ?? {}, ": ")}
            placeholder="Authorization: Bearer …"
            autoComplete="off"
            spellCheck={false}
            className={TEXT}
          />
        )}
      </Labelled>
    </>
  );
}

interface TickProps {
  name: string;
  label: string;
  note?: string;
  on: boolean;
}

function Tick({ name, label, note, on }: TickProps) {
  return (
    <label className="flex items-start gap-2 text-sm">
      <input type="checkbox" name={name} defaultChecked={on} className="mt-1 accent-accent" />
      <span>
        {label}
        {note && <span className="block text-[13px] text-muted">{note}</span>}
      </span>
    </label>
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
