/** A conversation that is not there yet, or cannot be had. */
import { CircleAlert } from "lucide-react";
import { useWords } from "../../i18n";
import type { ApiError } from "../../lib/api";
import { Button } from "../../ui/Button";
import { messageOf } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";

export function LoadingState() {
  const words = useWords();
  return (
    <div className="flex min-h-0 flex-1 items-center justify-center" aria-busy>
      <Spinner size={22} />
      <span className="sr-only">{words.common.loading}</span>
    </div>
  );
}

export function LoadFailed({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const words = useWords();
  const missing = error.status === 404;
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-2 p-6 text-center">
      <CircleAlert size={26} className="text-muted" aria-hidden />
      <h2 className="text-lg font-semibold">
        {missing ? words.chat.notFound : words.chat.loadFailed}
      </h2>
      <p className="max-w-md text-sm text-muted">
        {missing ? words.chat.notFoundHint : messageOf(error, words)}
      </p>
      {!missing && <Button onClick={onRetry}>{words.common.retry}</Button>}
    </div>
  );
}
