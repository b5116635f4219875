/** Picks notebooks from the person's disk and imports them. */
import { FileInput } from "lucide-react";
import { useRef, useState } from "react";
import { useWords } from "../../i18n";
import { IconButton } from "../../ui/IconButton";
import { Spinner } from "../../ui/Spinner";

export function ImportButton({ onFiles }: { onFiles: (files: File[]) => Promise<void> }) {
  const words = useWords();
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const take = async (files: File[]) => {
    setBusy(true);
    await onFiles(files);
    setBusy(false);
  };
  return (
    <>
      <IconButton
        label={words.notebook.import}
        aria-busy={busy}
        disabled={busy}
        onClick={() => input.current?.click()}
      >
        {busy ? <Spinner /> : <FileInput size={18} aria-hidden />}
      </IconButton>
      <input
        ref={input}
        type="file"
        accept=".ipynb,application/x-ipynb+json"
        multiple
        hidden
        aria-label={words.notebook.import}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          if (files.length > 0) void take(files);
        }}
      />
    </>
  );
}
