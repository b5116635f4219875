/** The conversation as a file: one of each format to take away, or a notebook kept up to date. */
import { Check, FileCode2, FileText, Globe, NotebookText, Save } from "lucide-react";
import { type Words, useWords } from "../../i18n";
import { api, exportUrl, type ExportFormat } from "../../lib/api";
import { Menu, MenuItem, MenuLabel, MenuLine, MenuNote } from "../../ui/Menu";
import { reportError } from "../../ui/report";

const FORMATS = [
  { format: "ipynb", Icon: NotebookText },
  { format: "py", Icon: FileCode2 },
  { format: "md", Icon: FileText },
  { format: "html", Icon: Globe },
] as const satisfies readonly { format: ExportFormat; Icon: typeof Globe }[];

interface Props {
  conversationId: string;
  /** The file it is kept in; empty or absent for none. */
  kept: string | undefined;
  /** There is something to take away. */
  hasContent: boolean;
}

export function NotebookMenu({ conversationId, kept = "", hasContent }: Props) {
  const words = useWords();
  const keep = () => void api.keepNotebook(conversationId, kept === "").catch(reportError);
  const label = kept === "" ? words.notebook.menu : words.notebook.menuKept(kept);
  return (
    <Menu
      className="w-72"
      trigger={
        <button
          type="button"
          aria-label={label}
          title={label}
          className="touch relative inline-flex size-9 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-fg data-[state=open]:bg-hover data-[state=open]:text-fg"
        >
          <NotebookText size={18} aria-hidden />
          {kept !== "" && (
            <span
              className="absolute right-1.5 bottom-1.5 size-2 rounded-full bg-ok ring-2 ring-bg"
              aria-hidden
            />
          )}
        </button>
      }
    >
      <MenuLabel>{words.notebook.export}</MenuLabel>
      {FORMATS.map(({ format, Icon }) => (
        <MenuItem
          key={format}
          disabled={!hasContent}
          icon={<Icon size={16} aria-hidden />}
          onSelect={() => takeAway(exportUrl(conversationId, format))}
        >
          {words.notebook[format]}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem
        icon={
          kept === "" ? (
            <Save size={16} aria-hidden />
          ) : (
            <Check size={16} className="text-accent" aria-hidden />
          )
        }
        onSelect={keep}
      >
        {kept === "" ? words.notebook.keep : words.notebook.keepNoLonger}
      </MenuItem>
      <MenuNote>{keptNote(kept, words)}</MenuNote>
    </Menu>
  );
}

function keptNote(kept: string, words: Words): string {
  return kept === "" ? words.notebook.keepNote : words.notebook.keptIn(kept);
}

/** Starts the download as a click on a link would. */
function takeAway(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}
