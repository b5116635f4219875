import { useWords } from "../../i18n";
import { Dialog } from "../../ui/Dialog";
import { Kbd } from "../../ui/Kbd";
import { SHORTCUTS } from "./shortcuts";

/** The list of keys. */
export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const words = useWords();
  return (
    <Dialog open={open} onClose={onClose} title={words.shortcuts.title}>
      <dl className="flex flex-col">
        {SHORTCUTS.map(({ name, keys }) => (
          <div
            key={name}
            className="flex items-center justify-between gap-4 border-b border-line py-2 text-sm last:border-0"
          >
            <dt>{words.shortcuts[name]}</dt>
            <dd className="rounded-sm border border-line bg-sunken px-2 py-0.5">
              <Kbd keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
