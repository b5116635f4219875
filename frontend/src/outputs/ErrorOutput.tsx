/** An exception: what happened first, where it happened folded away under it. */
import { useWords } from "../i18n";
import { AnsiText } from "../render/ansi/AnsiText";
import { plainText } from "../render/ansi/terminal";
import { Fold } from "./Fold";
import { useFold } from "./folds";

/** A longer message is cut here; the traceback has all of it. */
const MESSAGE_CHARACTERS = 1_000;

interface Props {
  error: { name: string; message: string; traceback: string };
  fold: string;
}

export function ErrorOutput({ error, fold }: Props) {
  const words = useWords().outputs;
  const [open, setOpen] = useFold(`${fold}/traceback`);
  const message = plainText(error.message);
  const shown =
    message.length > MESSAGE_CHARACTERS ? `${message.slice(0, MESSAGE_CHARACTERS)}…` : message;
  return (
    <div className="output-error">
      <p className="output-error-line">
        <strong>{error.name}</strong>
        {shown !== "" && `: ${shown}`}
      </p>
      {error.traceback !== "" && (
        <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>{words.traceback}</summary>
          {open && (
            <Fold id={fold} label={words.traceback}>
              <AnsiText text={error.traceback} />
            </Fold>
          )}
        </details>
      )}
    </div>
  );
}
