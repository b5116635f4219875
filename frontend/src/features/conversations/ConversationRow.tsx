/** A conversation in the list, with what can be done to it. */
import {
  Ellipsis,
  GitBranch,
  Pencil,
  Pin,
  PinOff,
  ScrollText,
  ShieldCheck,
  Trash2,
} from "lucide-react";
import { useState } from "react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { go, hrefOf } from "../../lib/route";
import type { ConversationSummary } from "../../protocol/generated";
import { Menu, MenuItem } from "../../ui/Menu";
import { reportError } from "../../ui/report";
import { TextDialog } from "../../ui/TextDialog";
import { toast } from "../../ui/Toast";
import { AllowedDialog } from "./AllowedDialog";
import { RulesDialog } from "./RulesDialog";

interface Props {
  item: ConversationSummary;
  current: boolean;
  onChosen: () => void;
}

export function ConversationRow({ item, current, onChosen }: Props) {
  const words = useWords();
  const [renaming, setRenaming] = useState(false);
  const [ruling, setRuling] = useState(false);
  const [allowing, setAllowing] = useState(false);
  const title = item.title === "" ? words.sidebar.untitled : item.title;
  const change = (fields: { title?: string; pinned?: boolean }) =>
    void api.update(item.id, fields).catch(reportError);
  return (
    <li
      className={`group relative flex h-9 items-center rounded-md pointer-coarse:h-11 ${current ? "bg-active" : "hover:bg-hover"}`}
    >
      <a
        href={hrefOf(item.id)}
        aria-current={current ? "page" : undefined}
        onClick={onChosen}
        title={title}
        className="flex h-full min-w-0 flex-1 items-center gap-2 rounded-md pr-1 pl-2 text-sm"
      >
        {item.parent && (
          <GitBranch
            size={14}
            className="shrink-0 text-faint"
            role="img"
            aria-label={words.branch.label}
          />
        )}
        <span className="truncate">{title}</span>
        {(item.running || item.waiting) && <Light waiting={item.waiting === true} />}
      </a>
      <Menu
        align="start"
        trigger={
          <button
            type="button"
            aria-label={words.sidebar.more(title)}
            className="touch mr-1 inline-flex size-7 shrink-0 items-center justify-center rounded-sm text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:bg-active hover:text-fg data-[state=open]:opacity-100 pointer-coarse:opacity-100"
          >
            <Ellipsis size={16} aria-hidden />
          </button>
        }
      >
        <MenuItem icon={<Pencil size={16} aria-hidden />} onSelect={() => setRenaming(true)}>
          {words.sidebar.rename}
        </MenuItem>
        <MenuItem icon={<ScrollText size={16} aria-hidden />} onSelect={() => setRuling(true)}>
          {words.sidebar.rules}
        </MenuItem>
        <MenuItem icon={<ShieldCheck size={16} aria-hidden />} onSelect={() => setAllowing(true)}>
          {words.approval.allowed}
        </MenuItem>
        <MenuItem
          icon={item.pinned ? <PinOff size={16} aria-hidden /> : <Pin size={16} aria-hidden />}
          onSelect={() => change({ pinned: !item.pinned })}
        >
          {item.pinned ? words.sidebar.unpin : words.sidebar.pin}
        </MenuItem>
        <MenuItem
          danger
          icon={<Trash2 size={16} aria-hidden />}
          onSelect={() =>
            void removeWithUndo(item.id, current, words.sidebar.deleted(title), words.common.undo)
          }
        >
          {words.common.delete}
        </MenuItem>
      </Menu>
      <TextDialog
        open={renaming}
        onClose={() => setRenaming(false)}
        onSave={(next) => change({ title: next })}
        title={words.sidebar.renameTitle}
        label={words.sidebar.renameLabel}
        action={words.common.save}
        value={title}
      />
      {allowing && <AllowedDialog id={item.id} onClose={() => setAllowing(false)} />}
      {ruling && <RulesDialog id={item.id} onClose={() => setRuling(false)} />}
    </li>
  );
}

/** It is being answered, or waits for the person. */
function Light({ waiting }: { waiting: boolean }) {
  const words = useWords();
  return (
    <span
      role="img"
      aria-label={waiting ? words.approval.waitsLabel : words.sidebar.running}
      title={waiting ? words.approval.waitsLabel : undefined}
      className={`size-2 shrink-0 rounded-full ${waiting ? "bg-warn ring-2 ring-warn-soft" : "pulse bg-accent"}`}
    />
  );
}

async function removeWithUndo(
  id: string,
  current: boolean,
  text: string,
  undo: string,
): Promise<void> {
  try {
    await api.remove(id);
  } catch (error) {
    reportError(error);
    return;
  }
  if (current) go(undefined, true);
  const run = () => {
    api.restore(id).then(() => go(id), reportError);
  };
  toast({ text, action: { label: undo, run } });
}
