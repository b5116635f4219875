/** A picture: as large as fits beside the text, whole in a dialog, and to be saved. */
import { Download, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { useState } from "react";
import { useWords } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { type Size, saveImage } from "./images";

interface Props {
  /** A `data:` address. */
  src: string;
  alt: string;
  size: Size | null;
  /** What it is saved as, without its ending. */
  name: string;
}

export function ImageOutput({ src, alt, size, name }: Props) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const [broken, setBroken] = useState<string | null>(null);
  const title = alt === "" ? words.outputs.figure : alt;
  if (broken === src) return <p className="output-note">{words.outputs.badImage}</p>;
  const save = (
    <IconButton
      small
      label={words.common.download}
      onClick={() => saveImage(src, fileName(name, src))}
    >
      <Download size={16} aria-hidden />
    </IconButton>
  );
  return (
    <div className="output-image">
      <Dialog.Root open={open} onOpenChange={setOpen}>
        <Dialog.Trigger asChild>
          <button type="button" className="output-image-button" aria-label={words.outputs.enlarge}>
            <img src={src} alt={title} {...size} onError={() => setBroken(src)} />
          </button>
        </Dialog.Trigger>
        <Dialog.Portal>
          <Dialog.Overlay className="output-lightbox-back overlay" />
          <Dialog.Content
            className="output-lightbox"
            aria-describedby={undefined}
            onOpenAutoFocus={focusItself}
          >
            <Dialog.Title className="output-lightbox-title">{title}</Dialog.Title>
            <div className="output-lightbox-tools">
              {save}
              <Dialog.Close asChild>
                <IconButton small label={words.common.close}>
                  <X size={18} aria-hidden />
                </IconButton>
              </Dialog.Close>
            </div>
            <div className="output-lightbox-picture">
              <img src={src} alt={title} />
            </div>
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
      <div className="output-image-tools">{save}</div>
    </div>
  );
}

/** Not its first button, whose tooltip would open and take the first Escape. */
function focusItself(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
}

function fileName(name: string, src: string): string {
  const type = /^data:image\/(\w+)/.exec(src)?.[1] ?? "png";
  return `${name}.${type === "jpeg" ? "jpg" : type}`;
}
