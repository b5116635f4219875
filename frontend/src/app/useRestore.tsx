/** Brings a conversation's variables back; asks first where cells would run in a person's folder. */
import { type ReactNode, useState } from "react";
import { useWords } from "../i18n";
import { ApiError, api } from "../lib/api";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { reportError } from "../ui/report";

export function useRestore(id: string | undefined): { restore: () => void; dialog: ReactNode } {
  const words = useWords();
  const [asking, setAsking] = useState<string>();
  const ask = (consent: boolean) => {
    if (id === undefined) return;
    api.kernel(id, "restore", consent).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === "consent_needed") setAsking(error.message);
      else reportError(error);
    });
  };
  const dialog = (
    <ConfirmDialog
      open={asking !== undefined}
      onClose={() => setAsking(undefined)}
      onConfirm={() => ask(true)}
      title={words.replay.consentTitle}
      body={asking ?? ""}
      action={words.replay.restore}
    />
  );
  return { restore: () => ask(false), dialog };
}
