/** Stands where a question would: these are the cells of a notebook that was imported. */
import { NotebookText } from "lucide-react";
import { useWords } from "../../i18n";

export function ImportedNote({ name }: { name: string }) {
  const words = useWords();
  return (
    <div className="flex items-start gap-2.5 pt-6 pb-3 text-sm">
      <NotebookText size={17} className="mt-0.5 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0">
        <h2 className="font-medium [overflow-wrap:anywhere]">{words.notebook.from(name)}</h2>
        <p className="text-muted">{words.notebook.fromNote}</p>
      </div>
    </div>
  );
}
