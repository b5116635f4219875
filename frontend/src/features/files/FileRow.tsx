import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { api, fileUrl } from "../../lib/api";
import type { FileEntry } from "../../protocol/generated";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { FileIcon } from "../../ui/FileIcon";
import { IconButton } from "../../ui/IconButton";
import { reportError } from "../../ui/report";

/** A file of the workspace: a link that downloads it, and a way to delete it. */
export function FileRow({ file, conversationId }: { file: FileEntry; conversationId: string }) {
  const words = useWords();
  const [asking, setAsking] = useState(false);
  return (
    <li className="group flex items-center rounded-md pr-1 hover:bg-hover">
      <a
        href={fileUrl(conversationId, file.path)}
        download={file.path.split("/").at(-1)}
        title={file.path}
        className="flex min-h-11 min-w-0 flex-1 items-center gap-2.5 rounded-md py-1.5 pl-2"
      >
        <FileIcon path={file.path} />
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm">{file.path}</span>
          <span className="block text-xs text-muted tabular-nums">
            {fileSize(file.size, words.time.locale)}
          </span>
        </span>
      </a>
      <IconButton
        small
        label={words.files.remove(file.path)}
        onClick={() => setAsking(true)}
        className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:bg-active pointer-coarse:opacity-100"
      >
        <Trash2 size={15} aria-hidden />
      </IconButton>
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
