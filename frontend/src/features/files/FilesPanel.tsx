/** The workspace of the conversation: what is in it, what is on its way, in and out. */
import { FileArchive, Upload, X } from "lucide-react";
import { type DragEvent, useMemo, useRef, useState } from "react";
import { useWords } from "../../i18n";
import { type FileListing, zipUrl } from "../../lib/api";
import { firstThatSpeaks } from "../../lib/instructions";
import { useFiles } from "../../lib/lists";
import { useTranscript } from "../../lib/live";
import { type UploadItem, uploads } from "../../lib/uploads";
import type { FileEntry } from "../../protocol/generated";
import { FileIcon } from "../../ui/FileIcon";
import { IconButton } from "../../ui/IconButton";
import { ProgressBar } from "../../ui/Progress";
import { messageOf } from "../../ui/report";
import { FileRow } from "./FileRow";
import { useDropped } from "./useDropped";

/** More rows than this nobody reads, and the page would be slow. */
const MOST_SHOWN = 1000;
const NO_FILES: FileListing = { files: [], complete: true };

interface Props {
  conversationId: string | undefined;
  onFiles: (files: File[]) => void;
}

export function FilesPanel({ conversationId, onFiles }: Props) {
  return (
    <>
      <div className="px-3 pt-1 pb-3">
        <DropZone onFiles={onFiles} />
      </div>
      <List conversationId={conversationId} />
    </>
  );
}

/** Takes the whole workspace along. */
export function ZipLink({ conversationId }: { conversationId: string }) {
  const words = useWords();
  return (
    <a
      href={zipUrl(conversationId)}
      download
      className="touch inline-flex h-9 items-center gap-1.5 rounded-md px-2.5 text-[13px] text-muted hover:bg-hover hover:text-fg"
    >
      <FileArchive size={16} aria-hidden />
      {words.files.zip}
    </a>
  );
}

function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const words = useWords();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = useDropped(onFiles);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    // The window's own drop would also attach them to the message.
    event.stopPropagation();
    setOver(false);
    take(event.dataTransfer);
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="upload"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
      <button
        type="button"
        onClick={() => input.current?.click()}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
        className={`flex w-full flex-col items-center gap-1.5 rounded-lg border border-dashed px-3 py-5 text-[13px] transition-colors ${over ? "border-accent bg-accent-soft text-accent" : "border-line-strong text-muted hover:bg-hover hover:text-fg"}`}
      >
        <Upload size={18} aria-hidden />
        {words.files.drop}
      </button>
    </>
  );
}

function List({ conversationId }: { conversationId: string | undefined }) {
  const words = useWords();
  const { data, error } = useFiles(conversationId);
  const { items } = uploads.useUploads();
  const moving = items.filter(
    (item) => item.conversationId === conversationId && item.state !== "done",
  );
  const { files, complete } = data ?? NO_FILES;
  const shown = files.slice(0, MOST_SHOWN);
  if (files.length === 0 && moving.length === 0) {
    const text = error ? words.files.failed : words.files.empty;
    return <p className="px-5 text-[13px] text-pretty text-muted">{text}</p>;
  }
  return (
    <ul className="scroller min-h-0 flex-1 px-2 pb-3">
      {moving.map((item) => (
        <MovingRow key={item.id} item={item} />
      ))}
      {conversationId !== undefined && <FileRows files={shown} conversationId={conversationId} />}
      {(shown.length < files.length || !complete) && (
        <li className="px-2 pt-2 text-[13px] text-pretty text-muted">
          {words.files.more(files.length, shown.length, complete)}
        </li>
      )}
    </ul>
  );
}

interface FilesProps {
  files: readonly FileEntry[];
  conversationId: string;
}

function FileRows({ files, conversationId }: FilesProps) {
  const speaking = useSpeaking(files, conversationId);
  return files.map((file) => (
    <FileRow
      key={file.path}
      file={file}
      conversationId={conversationId}
      speaks={speaking.get(file.path)}
    />
  ));
}

/** What was found in what the model was told of each file, and in its name. */
function useSpeaking(files: readonly FileEntry[], conversationId: string): Map<string, string> {
  const loaded = useTranscript(conversationId);
  const turns = loaded.state === "ready" ? loaded.transcript.turns : undefined;
  return useMemo(() => {
    const texts = new Map(files.map(({ path }) => [path, [path]]));
    for (const { told } of turns ?? []) {
      for (const { path, text } of told ?? []) texts.get(path)?.push(text);
    }
    const found = [...texts].map(([path, said]) => [path, firstThatSpeaks(said)] as const);
    return new Map(found.filter((one): one is [string, string] => one[1] !== null));
  }, [turns, files]);
}

function MovingRow({ item }: { item: UploadItem }) {
  const words = useWords();
  return (
    <li className="flex items-center gap-2.5 rounded-md py-1.5 pr-1 pl-2">
      <FileIcon path={item.name} />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm">{item.name}</p>
        {item.state === "failed" && item.error ? (
          <p className="text-xs text-danger">{messageOf(item.error, words)}</p>
        ) : (
          <ProgressBar share={item.share} label={words.files.progress(item.name)} />
        )}
      </div>
      <IconButton
        small
        label={words.files.cancelUpload(item.name)}
        onClick={() => uploads.remove(item.id)}
      >
        <X size={15} aria-hidden />
      </IconButton>
    </li>
  );
}
