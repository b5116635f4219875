/** Told once: the model that answers cannot see the pictures of this conversation. */
import { EyeOff } from "lucide-react";
import { useWords } from "../../i18n";
import { useSettings } from "../../lib/lists";

export function UnseenNote({ model }: { model: string }) {
  const { chat } = useWords();
  const eyes = useSettings().data?.vision_model;
  return (
    <p role="note" className="flex items-start gap-2 py-1.5 text-sm text-muted">
      <EyeOff size={16} className="mt-0.5 shrink-0" aria-hidden />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        {eyes && eyes !== model ? chat.unseenAsks(model, eyes) : chat.unseen(model)}
      </span>
    </p>
  );
}
