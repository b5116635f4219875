/** The MCP servers whose tools models may call: add, change, switch on and off, remove, check. */
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { api, type ToolServer, type ToolServerChange } from "../../lib/api";
import { settings, useSettings } from "../../lib/lists";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Dialog } from "../../ui/Dialog";
import { IconButton } from "../../ui/IconButton";
import { reportError } from "../../ui/report";
import { asChange, withServer } from "./rows";
import { ServerForm } from "./ServerForm";

type Mode = "list" | "add" | ToolServer;

export function ToolsDialog({ onClose }: { onClose: () => void }) {
  const words = useWords().tools;
  const { data } = useSettings();
  const [mode, setMode] = useState<Mode>("list");
  const [leaving, setLeaving] = useState<ToolServer>();
  const all = data?.mcp_servers ?? [];
  const former = typeof mode === "object" ? mode.name : undefined;

  async function save(changed: ToolServerChange[]): Promise<void> {
    await change(withServer(all, changed, former));
    setMode("list");
    // It is started at once: whoever adds a server wants to see whether it works.
    const wanted = changed.filter(({ enabled }) => enabled !== false);
    await Promise.all(wanted.map(({ name }) => check(name)));
  }

  return (
    <Dialog open onClose={onClose} title={words.title} lead={words.lead}>
      {mode === "list" ? (
        <>
          <ul className="flex flex-col gap-2">
            {all.map((one) => (
              <Row key={one.name} one={one}>
                {one.source === "page" && (
                  <>
                    <IconButton small label={words.edit(one.name)} onClick={() => setMode(one)}>
                      <Pencil size={15} aria-hidden />
                    </IconButton>
                    <IconButton
                      small
                      label={words.remove(one.name)}
                      onClick={() => setLeaving(one)}
                    >
                      <Trash2 size={15} aria-hidden />
                    </IconButton>
                  </>
                )}
              </Row>
            ))}
          </ul>
          {data && all.length === 0 && <p className="text-sm text-muted">{words.none}</p>}
          <Button className="self-start" onClick={() => setMode("add")}>
            <Plus size={16} aria-hidden />
            {words.add}
          </Button>
        </>
      ) : (
        <ServerForm
          edited={mode === "add" ? undefined : mode}
          onSave={save}
          onCancel={() => setMode("list")}
        />
      )}
      <ConfirmDialog
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        onConfirm={() => {
          const rest = all.filter(({ name }) => name !== leaving?.name);
          void change(rest.map(asChange)).catch(reportError);
        }}
        title={words.removeTitle}
        body={words.removeBody(leaving?.name ?? "")}
        action={words.removeAction}
        danger
      />
    </Dialog>
  );
}

async function change(rows: ToolServerChange[]): Promise<void> {
  await api.changeSettings({ mcp_servers: rows });
  settings.invalidate();
}

async function check(name: string): Promise<void> {
  try {
    await api.checkToolServer(name);
  } catch (error) {
    reportError(error);
  } finally {
    settings.invalidate();
  }
}

const LOOKS: Record<ToolServer["state"], string> = {
  off: "text-faint",
  idle: "text-muted",
  starting: "text-muted",
  ready: "text-ok",
  failed: "text-danger",
};

function Row({ one, children }: { one: ToolServer; children: React.ReactNode }) {
  const words = useWords().tools;
  const [busy, setBusy] = useState(false);
  const where = one.url ?? [one.command, ...one.args].join(" ");
  return (
    <li className="rounded-md border border-line p-3">
      <div className="flex items-center gap-1">
        <span className="min-w-0 flex-1 truncate text-sm font-medium">{one.name}</span>
        {children}
      </div>
      <p className="line-clamp-2 font-mono text-xs [overflow-wrap:anywhere] text-muted">{where}</p>
      <div aria-live="polite" className="mt-1.5 flex flex-wrap items-center gap-x-2 text-[13px]">
        <span className={LOOKS[one.state]}>
          {one.state === "ready" ? words.ready(one.tools.length) : words.states[one.state]}
        </span>
        {one.trust && <span className="text-muted">{`· ${words.trusted}`}</span>}
        {one.source === "config" && <span className="text-muted">{`· ${words.fixed}`}</span>}
        {one.state !== "off" && (
          <Button
            small
            className="ml-auto"
            disabled={busy}
            onClick={() => {
              setBusy(true);
              void check(one.name).finally(() => setBusy(false));
            }}
          >
            {busy ? words.checking : words.check}
          </Button>
        )}
      </div>
      {one.problem && (
        <p className="mt-1 text-[13px] [overflow-wrap:anywhere] text-muted">{one.problem}</p>
      )}
      {one.tools.length > 0 && (
        <p className="mt-1 line-clamp-3 text-xs [overflow-wrap:anywhere] text-faint">
          {one.tools.join(", ")}
        </p>
      )}
    </li>
  );
}
