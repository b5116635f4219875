/** A request's text with its pictures drawn and their base64 folded away; nothing is left out. */
import { useState } from "react";
import { useWords } from "../../i18n";

const PICTURE = /(data:image\/(?:png|jpeg|gif|webp);base64,)([A-Za-z0-9+/]{64,}={0,2})/g;
/** Enough to tell two pictures apart. */
const SHOWN = 24;

export function SentText({ text, drawn }: { text: string; drawn: boolean }) {
  // Pieces between pictures, then the head and the base64 of each, in turn.
  const pieces = text.split(PICTURE);
  return pieces.map((piece, at) => {
    const key = `${at}`;
    if (at % 3 === 0) return <span key={key}>{piece}</span>;
    if (at % 3 === 1) return null;
    return <Picture key={key} head={pieces[at - 1] ?? ""} base64={piece} drawn={drawn} />;
  });
}

interface Props {
  head: string;
  base64: string;
  drawn: boolean;
}

function Picture({ head, base64, drawn }: Props) {
  const { sent } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      {head}
      {open ? <span className="break-all">{base64}</span> : base64.slice(0, SHOWN)}
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="touch mx-1 rounded-sm bg-active px-1.5 font-sans text-accent hover:underline"
      >
        {open ? sent.fold : sent.more(base64.length - SHOWN)}
      </button>
      {drawn && (
        <img
          src={head + base64}
          alt={sent.picture}
          className="my-1 block max-h-40 max-w-full rounded-sm border border-line"
        />
      )}
    </>
  );
}
