/** Where everything lies, what each conversation takes, and the bin: restore, or delete for good. */
import { Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { api } from "../../lib/api";
import { disk, useDisk } from "../../lib/lists";
import type { ConversationDisk, DiskUse } from "../../protocol/generated";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyButton } from "../../ui/CopyButton";
import { Dialog } from "../../ui/Dialog";
import { messageOf, reportError } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";
import { toast } from "../../ui/Toast";

type Rows = readonly ConversationDisk[];

export function StorageDialog({ onClose }: { onClose: () => void }) {
  const all = useWords();
  const words = all.storage;
  const { data, error } = useDisk();
  // What nobody looks at is measured again when somebody does.
  useEffect(() => () => disk.invalidate(), []);
  return (
    <Dialog open onClose={onClose} title={words.title} lead={words.lead} wide>
      {data ? (
        <Contents use={data} />
      ) : error ? (
        <div role="alert" className="flex flex-col items-start gap-2 text-sm">
          <p>{words.failed}</p>
          <p className="text-muted">{messageOf(error, all)}</p>
          <Button onClick={() => disk.invalidate()}>{all.common.retry}</Button>
        </div>
      ) : (
        <p role="status" className="flex items-center gap-2 py-4 text-sm text-muted">
          <Spinner />
          {words.measuring}
        </p>
      )}
    </Dialog>
  );
}

function Contents({ use }: { use: DiskUse }) {
  const words = useWords().storage;
  const { size, name } = useTexts();
  const [asked, setAsked] = useState<Rows>();
  const [busy, setBusy] = useState(false);
  const bin = use.conversations.filter(({ deleted }) => deleted);
  const one = asked?.length === 1 ? asked[0] : undefined;
  const work = (task: Promise<void>) => {
    setBusy(true);
    void task.finally(() => {
      setBusy(false);
      disk.invalidate();
    });
  };
  const removeAll = (rows: Rows) =>
    work(
      removed(rows).then((gone) => {
        if (gone.length > 0) toast({ text: words.removed(gone.length, size(bytesOf(gone))) });
      }),
    );
  return (
    <>
      <section className="rounded-md bg-side p-3 text-sm">
        <h3 className="text-[13px] font-medium text-muted">{words.folder}</h3>
        <div className="flex items-start gap-2">
          <code className="min-w-0 flex-1 py-1 text-[13px] [overflow-wrap:anywhere]">
            {use.data_dir}
          </code>
          <CopyButton text={() => use.data_dir} label={words.copy} />
        </div>
        <p>{words.use(size(use.total), size(use.free))}</p>
        <p className="text-[13px] text-muted">{words.log(size(use.log))}</p>
      </section>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-[13px] font-medium text-muted">{words.list}</h3>
        {bin.length > 0 && (
          <Button small disabled={busy} onClick={() => setAsked(bin)}>
            <Trash2 size={14} aria-hidden />
            {words.empty(bin.length)}
          </Button>
        )}
      </div>
      {use.conversations.length === 0 && <p className="text-sm text-muted">{words.none}</p>}
      <ul className="flex flex-col divide-y divide-line" aria-busy={busy}>
        {use.conversations.map((row) => (
          <Row
            key={row.id}
            row={row}
            busy={busy}
            onRestore={() =>
              work(
                api.restore(row.id).then(
                  () => {},
                  (problem: unknown) => reportError(problem),
                ),
              )
            }
            onRemove={() => setAsked([row])}
          />
        ))}
      </ul>
      <ConfirmDialog
        open={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={() => removeAll(asked ?? [])}
        title={one ? words.removeTitle : words.emptyTitle}
        body={
          one
            ? words.removeBody(name(one))
            : words.emptyBody(asked?.length ?? 0, size(bytesOf(asked ?? [])))
        }
        action={words.remove}
        danger
      />
    </>
  );
}

interface RowProps {
  row: ConversationDisk;
  busy: boolean;
  onRestore: () => void;
  onRemove: () => void;
}

function Row({ row, busy, onRestore, onRemove }: RowProps) {
  const words = useWords().storage;
  const { size, name } = useTexts();
  const parts = Object.entries(row.parts).map(([part, bytes]) =>
    words.part(words.parts[part] ?? part, size(bytes)),
  );
  const details = row.in_place ? [...parts, words.inPlace] : parts;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 py-2.5">
      <div className="min-w-48 flex-1">
        <p className="text-sm [overflow-wrap:anywhere]">
          {name(row)}{" "}
          {row.deleted && (
            <span className="rounded-sm border border-line-strong px-1.5 py-0.5 text-xs whitespace-nowrap text-muted">
              {words.deleted}
            </span>
          )}
        </p>
        {details.length > 0 && (
          <p className="text-[13px] [overflow-wrap:anywhere] text-muted">{details.join(" · ")}</p>
        )}
      </div>
      {row.deleted && (
        <div className="order-last flex w-full flex-wrap gap-2 sm:order-none sm:w-auto">
          <Button
            small
            disabled={busy}
            aria-label={words.restoreLabel(name(row))}
            onClick={onRestore}
          >
            {words.restore}
          </Button>
          <Button
            small
            disabled={busy}
            aria-label={words.removeLabel(name(row))}
            onClick={onRemove}
          >
            {words.remove}
          </Button>
        </div>
      )}
      <span className="w-20 shrink-0 text-right text-sm tabular-nums">{size(row.bytes)}</span>
    </li>
  );
}

/** How sizes and conversations are called. */
function useTexts() {
  const words = useWords();
  return {
    size: (bytes: number) => fileSize(bytes, words.time.locale),
    name: ({ id, title }: ConversationDisk) =>
      title === undefined ? words.storage.unknown(id) : title || words.sidebar.untitled,
  };
}

const bytesOf = (rows: Rows) => rows.reduce((sum, { bytes }) => sum + bytes, 0);

/** Removes one after another; those that went. What cannot go is told, and the others still do. */
async function removed(rows: Rows): Promise<Rows> {
  const gone: ConversationDisk[] = [];
  for (const row of rows) {
    try {
      await api.removeForever(row.id);
      gone.push(row);
    } catch (error) {
      reportError(error);
    }
  }
  return gone;
}
