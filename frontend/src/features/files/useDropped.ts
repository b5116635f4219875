import { useCallback } from "react";
import { useWords } from "../../i18n";
import { toast } from "../../ui/Toast";
import { dropped } from "./drop";

/** Takes the files of a drop, and says so when there are folders, which are left out. */
export function useDropped(onFiles: (files: File[]) => void): (transfer: DataTransfer) => void {
  const words = useWords();
  return useCallback(
    (transfer) => {
      const { files, folders } = dropped(transfer);
      if (files.length > 0) onFiles(files);
      for (const name of folders) toast({ text: words.files.noFolder(name), bad: true });
    },
    [onFiles, words],
  );
}
