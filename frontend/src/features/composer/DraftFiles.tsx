/** The files of the next message, on their way or there. */
import { RotateCcw, X } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { fileUrl } from "../../lib/api";
import { type UploadItem, uploads } from "../../lib/uploads";
import { FileIcon } from "../../ui/FileIcon";
import { IconButton } from "../../ui/IconButton";
import { ProgressRing } from "../../ui/Progress";
import { isPicture } from "../../ui/pictures";
import { messageOf } from "../../ui/report";

export function DraftFiles({ conversationId }: { conversationId: string | undefined }) {
  const { items } = uploads.useUploads();
  const mine = items.filter((item) => item.attached && item.conversationId === conversationId);
  if (mine.length === 0) return null;
  return (
    <ul className="scroller flex max-h-43 flex-wrap gap-1.5 overflow-y-auto px-3 pt-3">
      {mine.map((item) => (
        <DraftFile key={item.id} item={item} />
      ))}
    </ul>
  );
}

/** The picture itself where it is one, else an icon. */
function Thumb({ item: { conversationId, name, path } }: { item: UploadItem }) {
  const [broken, setBroken] = useState(false);
  if (broken || path === undefined || !isPicture(path)) return <FileIcon path={name} />;
  return (
    <img
      src={fileUrl(conversationId, path)}
      alt=""
      onError={() => setBroken(true)}
      className="-ml-1 size-8 shrink-0 rounded-sm object-cover"
    />
  );
}

function DraftFile({ item }: { item: UploadItem }) {
  const words = useWords();
  const failed = item.state === "failed";
  const percent = Math.round(item.share * 100);
  return (
    <li
      className={`flex h-10 max-w-full items-center gap-2 rounded-md border pr-1 pl-2.5 text-[13px] ${failed ? "border-danger/40 bg-danger-soft" : "border-line bg-sunken"}`}
    >
      {item.state === "sending" || item.state === "waiting" ? (
        <ProgressRing share={item.share} label={words.composer.uploadingFile(item.name, percent)} />
      ) : (
        <Thumb item={item} />
      )}
      <span className="min-w-0">
        <span className="block truncate leading-tight">{item.path ?? item.name}</span>
        <span
          className={`block truncate text-[11px] leading-tight ${failed ? "text-danger" : "text-muted"}`}
        >
          {failed
            ? item.error
              ? messageOf(item.error, words)
              : words.composer.failedFile(item.name)
            : fileSize(item.size, words.time.locale)}
        </span>
      </span>
      {failed && item.error?.retryable !== false && (
        <IconButton
          small
          label={words.composer.retryFile(item.name)}
          onClick={() => uploads.again(item.id)}
        >
          <RotateCcw size={14} aria-hidden />
        </IconButton>
      )}
      <IconButton
        small
        label={words.composer.removeFile(item.name)}
        onClick={() => uploads.remove(item.id)}
      >
        <X size={15} aria-hidden />
      </IconButton>
    </li>
  );
}
