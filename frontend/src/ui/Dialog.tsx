/** A dialog in the middle, and a drawer from a side: both hold the focus and close on Escape. */
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useWords } from "../i18n";
import { IconButton } from "./IconButton";

/** The focus goes to the dialog, not to its first button with a tooltip that would open at once. */
function focusItself(event: Event): void {
  const content = event.currentTarget as HTMLElement;
  if (content.contains(document.activeElement)) return;
  event.preventDefault();
  content.focus();
}

const FULL = "top-[4vh] h-[92vh] max-w-[110rem] sm:inset-x-8";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  lead?: string;
  /** For what is read in it, and not only answered. */
  wide?: boolean;
  /** As large as the window allows. */
  full?: boolean;
  children: ReactNode;
}

export function Dialog({
  open,
  onClose,
  title,
  lead,
  wide = false,
  full = false,
  children,
}: DialogProps) {
  const words = useWords();
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="overlay fixed inset-0 z-40 bg-(--bg-scrim)" />
        <Radix.Content
          {...(lead === undefined && { "aria-describedby": undefined })}
          onOpenAutoFocus={focusItself}
          className={`appear outline-none fixed inset-x-4 z-50 mx-auto flex flex-col gap-3 overflow-y-auto rounded-lg border border-line bg-raised p-5 shadow-l ${full ? FULL : wide ? "top-[7vh] max-h-[86vh] max-w-3xl" : "top-[12vh] max-h-[76vh] max-w-md"}`}
        >
          <div className="flex items-start gap-3">
            <Radix.Title className="min-w-0 flex-1 pt-1 break-words text-base font-semibold">
              {title}
            </Radix.Title>
            <Radix.Close asChild>
              <IconButton label={words.common.close} small>
                <X size={18} aria-hidden />
              </IconButton>
            </Radix.Close>
          </div>
          {lead !== undefined && (
            <Radix.Description className="text-sm text-muted">{lead}</Radix.Description>
          )}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface DrawerProps {
  open: boolean;
  onClose: () => void;
  side: "left" | "right";
  title: string;
  children: ReactNode;
}

export function Drawer({ open, onClose, side, title, children }: DrawerProps) {
  const place = side === "left" ? "drawer-left left-0 border-r" : "drawer-right right-0 border-l";
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="overlay fixed inset-0 z-30 bg-(--bg-scrim)" />
        <Radix.Content
          aria-describedby={undefined}
          onOpenAutoFocus={focusItself}
          className={`outline-none fixed inset-y-0 z-30 flex w-[min(20rem,86vw)] flex-col border-line bg-side shadow-l ${place}`}
        >
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
