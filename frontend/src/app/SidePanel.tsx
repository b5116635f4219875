/** The panel beside the conversation: its files, or what its kernel holds. */
import { X } from "lucide-react";
import { FilesPanel, ZipLink } from "../features/files/FilesPanel";
import { VariablesPanel } from "../features/variables/VariablesPanel";
import { useWords } from "../i18n";
import { setPanel, usePrefs } from "../lib/prefs";
import { IconButton } from "../ui/IconButton";
import { Tabs } from "../ui/Tabs";

interface Props {
  conversationId: string | undefined;
  onFiles: (files: File[]) => void;
  onClose: () => void;
}

export default function SidePanel({ conversationId, onFiles, onClose }: Props) {
  const words = useWords();
  const panel = usePrefs((prefs) => prefs.panel);
  const title = panel === "files" ? words.files.title : words.variables.title;
  return (
    <aside aria-label={title} className="flex h-full min-h-0 flex-col bg-side">
      <div className="flex h-(--header) shrink-0 items-center gap-1 pr-2 pl-3">
        <div className="flex-1">
          <Tabs
            label={words.variables.panels}
            tabs={[
              ["files", words.files.title],
              ["variables", words.variables.title],
            ]}
            value={panel}
            onChange={setPanel}
          />
        </div>
        {panel === "files" && conversationId !== undefined && (
          <ZipLink conversationId={conversationId} />
        )}
        <IconButton label={words.header.hideFiles} onClick={onClose}>
          <X size={18} aria-hidden />
        </IconButton>
      </div>
      {panel === "files" ? (
        <FilesPanel conversationId={conversationId} onFiles={onFiles} />
      ) : (
        <VariablesPanel conversationId={conversationId} />
      )}
    </aside>
  );
}
