/** Offers to run the one command that makes an interpreter fit for a kernel, and shows how it went. */
import { Download } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useWords } from "../../i18n";
import { Button } from "../../ui/Button";

const InstallDialog = lazy(async () => ({
  default: (await import("./InstallDialog")).InstallDialog,
}));

export function InstallButton({
  conversationId,
  name,
  command,
}: {
  conversationId: string;
  name: string;
  command: string | undefined;
}) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small look="primary" onClick={() => setOpen(true)}>
        <Download size={14} aria-hidden />
        {words.environment.install(name)}
      </Button>
      {open && (
        <Suspense>
          <InstallDialog
            conversationId={conversationId}
            name={name}
            command={command}
            onClose={() => setOpen(false)}
          />
        </Suspense>
      )}
    </>
  );
}
