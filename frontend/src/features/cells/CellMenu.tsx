/** What can be done with a cell that ran: edit, run again, add one below, delete. */
import { Ellipsis, Pencil, Play, Plus, Trash2 } from "lucide-react";
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import type { CellPart } from "../../protocol/generated";
import { IconButton } from "../../ui/IconButton";
import { Menu, MenuItem, MenuLine } from "../../ui/Menu";
import { reportError } from "../../ui/report";

interface Props {
  cell: CellPart;
  conversationId: string;
  onEdit: () => void;
  onAdd: () => void;
}

export function CellMenu({ cell, conversationId, onEdit, onAdd }: Props) {
  const words = useWords();
  const busy: CellPart["status"][] = ["writing", "waiting", "running"];
  if (busy.includes(cell.status)) return null;
  return (
    <>
      <IconButton small label={words.cell.edit} onClick={onEdit} className="max-sm:hidden">
        <Pencil size={15} aria-hidden />
      </IconButton>
      <Menu
        trigger={
          <button
            type="button"
            aria-label={words.cell.more(words.cell.label(cell.execution_count))}
            className="touch inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-fg data-[state=open]:bg-hover data-[state=open]:text-fg"
          >
            <Ellipsis size={16} aria-hidden />
          </button>
        }
      >
        <MenuItem icon={<Pencil size={16} aria-hidden />} onSelect={onEdit}>
          {words.cell.edit}
        </MenuItem>
        <MenuItem
          icon={<Play size={16} aria-hidden />}
          onSelect={() =>
            void api.editCell(conversationId, cell.cell_id, cell.code).catch(reportError)
          }
        >
          {words.cell.again}
        </MenuItem>
        <MenuItem icon={<Plus size={16} aria-hidden />} onSelect={onAdd}>
          {words.cell.addBelow}
        </MenuItem>
        <MenuLine />
        <MenuItem
          danger
          icon={<Trash2 size={16} aria-hidden />}
          onSelect={() => void api.deleteCell(conversationId, cell.cell_id).catch(reportError)}
        >
          {words.cell.delete}
        </MenuItem>
      </Menu>
    </>
  );
}
