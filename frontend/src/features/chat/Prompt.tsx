/** What the person asked, with the files it came with. */
import { Pencil } from "lucide-react";
import { useMemo, useState } from "react";
import { firstThatSpeaks } from "../../lib/instructions";
import type { Attachment, ToldFile } from "../../protocol/generated";
import { useWords } from "../../i18n";
import { fileUrl } from "../../lib/api";
import type { Fork } from "../../lib/branches";
import { useFold } from "../../outputs/folds";
import { CopyButton } from "../../ui/CopyButton";
import { FileChip } from "../../ui/FileChip";
import { IconButton } from "../../ui/IconButton";
import { InstructionMark } from "../../ui/InstructionMark";
import { PictureChip } from "../../ui/PictureChip";
import { isPicture } from "../../ui/pictures";
import { BranchSwitch } from "./BranchSwitch";
import { PromptEditor } from "./PromptEditor";

interface Props {
  text: string;
  attachments: Attachment[];
  /** What the model was told of files with it. */
  told?: readonly ToldFile[] | undefined;
  conversationId: string;
  /** Names the prompt among all of the page. */
  id: string;
  fork: Fork;
  /** Asks it in other words, in a branch. */
  onAskAnew: (text: string) => Promise<void>;
}

/** A longer one is folded, so that the answer to it can be found. */
const LINES = 16;
const CHARACTERS = 2_000;

function Attached({ path, href }: { path: string; href: string }) {
  const shown = { path, href, label: useWords().chat.download(path) };
  const chip = <FileChip {...shown} />;
  return isPicture(path) ? <PictureChip {...shown} fallback={chip} /> : chip;
}

export function Prompt({ text, attachments, told, conversationId, id, fork, onAskAnew }: Props) {
  const words = useWords();
  const [editing, setEditing] = useState(false);
  const [open, setOpen] = useFold(`${id}/prompt`);
  const long = text.length > CHARACTERS || text.split("\n", LINES + 1).length > LINES;
  return (
    <div className="group flex flex-col items-end gap-1.5 pt-6 pb-3">
      <h2 className="sr-only">{words.chat.you}</h2>
      {attachments.length > 0 && (
        <ul className="flex max-w-[85%] flex-wrap justify-end gap-1.5">
          {attachments.map(({ path }) => (
            <li key={path} className="max-w-full">
              <Attached path={path} href={fileUrl(conversationId, path)} />
            </li>
          ))}
        </ul>
      )}
      {told !== undefined && <ToldMark told={told} />}
      {editing && <PromptEditor text={text} onAsk={onAskAnew} onLeave={() => setEditing(false)} />}
      {!editing && (
        <div className="flex max-w-full items-end justify-end gap-1">
          <div className="flex shrink-0 opacity-0 transition-opacity group-hover:opacity-100 focus-within:opacity-100 pointer-coarse:opacity-100">
            <IconButton small label={words.branch.edit} onClick={() => setEditing(true)}>
              <Pencil size={15} aria-hidden />
            </IconButton>
            <span className="max-sm:hidden">
              <CopyButton text={() => text} label={words.chat.copyPrompt} />
            </span>
          </div>
          <div className="max-w-[36rem] min-w-0 rounded-lg bg-bubble px-4 py-2.5">
            <p
              className={`own-direction whitespace-pre-wrap [overflow-wrap:anywhere] ${long && !open ? "prompt-clamp" : ""}`}
            >
              {text}
            </p>
            {long && (
              <button
                type="button"
                aria-expanded={open}
                onClick={() => setOpen(!open)}
                className="touch mt-1.5 text-sm text-accent hover:underline"
              >
                {open ? words.chat.lessPrompt : words.chat.wholePrompt}
              </button>
            )}
          </div>
        </div>
      )}
      <BranchSwitch fork={fork} conversationId={conversationId} />
    </div>
  );
}

/** Marks a question whose files, as the model was told of them, speak to it. */
function ToldMark({ told }: { told: readonly ToldFile[] }) {
  const found = useMemo(() => firstThatSpeaks(told.map((file) => file.text)), [told]);
  return found === null ? null : <InstructionMark found={found} />;
}
