/** Notebooks of the person's, made into conversations; the last one is shown. */
import { api } from "../../lib/api";
import { transcripts } from "../../lib/live";
import { go } from "../../lib/route";
import { reportError } from "../../ui/report";

export const isNotebook = ({ name }: { name: string }) => name.toLowerCase().endsWith(".ipynb");

export async function importNotebooks(files: readonly File[]): Promise<void> {
  for (const file of files) {
    try {
      const made = await api.importNotebook(file);
      transcripts.adopt(made);
      go(made.id);
    } catch (error) {
      reportError(error);
    }
  }
}
