/** Opens what a turn sent to the model; the dialog is loaded when it is first asked for. */
import { lazy, Suspense, useState } from "react";
import { useWords } from "../../i18n";
import { forgetSent } from "../../lib/looks";

const SentDialog = lazy(() => import("./SentDialog"));

export function SentAction({ conversationId, turnId }: { conversationId: string; turnId: string }) {
  const { sent } = useWords();
  const [shown, setShown] = useState<boolean>();
  return (
    <>
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => {
          forgetSent(conversationId, turnId);
          setShown(true);
        }}
        className="touch -mx-1 inline-flex h-7 shrink-0 items-center rounded-md px-1 text-xs text-faint hover:text-fg hover:underline"
      >
        {sent.action}
      </button>
      {shown !== undefined && (
        <Suspense>
          <SentDialog
            conversationId={conversationId}
            turnId={turnId}
            open={shown}
            onClose={() => setShown(false)}
          />
        </Suspense>
      )}
    </>
  );
}
