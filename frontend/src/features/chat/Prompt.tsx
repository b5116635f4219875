/** What the person asked, with the files it came with. */
import type { Attachment } from "../../protocol/generated";
import { useWords } from "../../i18n";
import { fileUrl } from "../../lib/api";
import { CopyButton } from "../../ui/CopyButton";
import { FileChip } from "../../ui/FileChip";

interface Props {
  text: string;
  attachments: Attachment[];
  conversationId: string;
}

export function Prompt({ text, attachments, conversationId }: Props) {
  const words = useWords();
  return (
    <div className="group flex flex-col items-end gap-1.5 pt-6 pb-3">
      <h2 className="sr-only">{words.chat.you}</h2>
      {attachments.length > 0 && (
        <ul className="flex max-w-[85%] flex-wrap justify-end gap-1.5">
          {attachments.map(({ path }) => (
            <li key={path} className="max-w-full">
              <FileChip
                path={path}
                href={fileUrl(conversationId, path)}
                label={words.chat.download(path)}
              />
            </li>
          ))}
        </ul>
      )}
      <div className="flex max-w-full items-end justify-end gap-1">
        <div className="shrink-0 opacity-0 transition-opacity group-hover:opacity-100 focus-within:opacity-100 max-sm:hidden">
          <CopyButton text={() => text} label={words.chat.copyPrompt} />
        </div>
        <p className="max-w-[36rem] min-w-0 rounded-lg bg-bubble px-4 py-2.5 whitespace-pre-wrap [overflow-wrap:anywhere]">
          {text}
        </p>
      </div>
    </div>
  );
}
