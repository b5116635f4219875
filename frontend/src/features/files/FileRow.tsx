import { Download, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { api, fileUrl } from "../../lib/api";
import { forgetProfile } from "../../lib/looks";
import type { FileEntry } from "../../protocol/generated";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { FileIcon } from "../../ui/FileIcon";
import { IconButton } from "../../ui/IconButton";
import { InstructionMark } from "../../ui/InstructionMark";
import { reportError } from "../../ui/report";
import { Tip } from "../../ui/Tip";

const FilePreview = lazy(() => import("./FilePreview"));
/** Shown when the row is pointed at or holds the focus; always where there is no pointer. */
const QUIET =
  "opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:bg-active pointer-coarse:opacity-100";

interface Props {
  file: FileEntry;
  conversationId: string;
  /** What was found in it that speaks to the model. */
  speaks?: string | undefined;
}

/** A file of the workspace: what is in it, a link that downloads it, and a way to delete it. */
export function FileRow({ file, conversationId, speaks }: Props) {
  const words = useWords();
  const [asking, setAsking] = useState(false);
  const [previewed, setPreviewed] = useState<boolean>();
  return (
    <li className="group flex flex-wrap items-center rounded-md pr-1 hover:bg-hover">
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => {
          forgetProfile(conversationId, file.path);
          setPreviewed(true);
        }}
        title={file.path}
        className="flex min-h-11 min-w-0 flex-1 items-center gap-2.5 rounded-md py-1.5 pl-2 text-start"
      >
        <FileIcon path={file.path} />
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm">{file.path}</span>
          <span className="block text-xs text-muted tabular-nums">
            {fileSize(file.size, words.time.locale)}
          </span>
        </span>
      </button>
      <Tip label={words.chat.download(file.path)} side="bottom">
        <a
          href={fileUrl(conversationId, file.path)}
          download={file.path.split("/").at(-1)}
          aria-label={words.chat.download(file.path)}
          className={`touch inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:text-fg ${QUIET}`}
        >
          <Download size={15} aria-hidden />
        </a>
      </Tip>
      <IconButton
        small
        label={words.files.remove(file.path)}
        onClick={() => setAsking(true)}
        className={QUIET}
      >
        <Trash2 size={15} aria-hidden />
      </IconButton>
      {speaks !== undefined && (
        <div className="w-full pb-1.5 pl-9">
          <InstructionMark found={speaks} />
        </div>
      )}
      {previewed !== undefined && (
        <Suspense>
          <FilePreview
            file={file}
            conversationId={conversationId}
            open={previewed}
            onClose={() => setPreviewed(false)}
          />
        </Suspense>
      )}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => void api.removeFile(conversationId, file.path).catch(reportError)}
        title={words.files.removeTitle}
        body={words.files.removeBody(file.path)}
        action={words.common.delete}
        danger
      />
    </li>
  );
}
