/** Asks for the names of packages and has them installed for the conversation, as a cell. */
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { reportError } from "../../ui/report";
import { TextDialog } from "../../ui/TextDialog";

interface Props {
  conversationId: string;
  onClose: () => void;
  value?: string;
}

export function PackagesDialog({ conversationId, onClose, value = "" }: Props) {
  const words = useWords();
  const install = (text: string) => {
    const packages = text.split(/[\s,]+(?![^[]*\])/).filter((name) => name !== "");
    void api.install(conversationId, packages).catch(reportError);
  };
  return (
    <TextDialog
      open
      onClose={onClose}
      onSave={install}
      title={words.packages.title}
      lead={words.packages.lead}
      label={words.packages.label}
      action={words.packages.action}
      value={value}
    />
  );
}
