/** The parts of a message that need words or know the message around them. */
import { createContext, type ReactNode, useContext, useRef } from "react";
import { useWords } from "../../i18n";
import { useOverflow } from "../useOverflow";
import { type LinkTarget, linkTarget } from "./safeUrl";

export interface Message {
  /** Where a workspace file is downloaded; null where it cannot be. */
  readonly fileLink: ((path: string) => string | null) | undefined;
  /** Makes ids unique on the page. */
  readonly id: string;
}

export const MessageContext = createContext<Message>({ fileLink: undefined, id: "" });

interface LinkProps {
  url: string;
  title?: string | null | undefined;
  /** What the link says, without markup. */
  text: string;
  children: ReactNode;
}

export function LinkView({ url, title, text, children }: LinkProps) {
  const { fileLink } = useContext(MessageContext);
  const target = linkTarget(url);
  const named = title ? { title } : {};
  switch (target?.kind) {
    case "web":
      return (
        <a href={target.href} target="_blank" rel="noopener noreferrer" {...named}>
          {children}
          {!text.includes(target.host) && <span className="md-host"> ({target.host})</span>}
        </a>
      );
    case "mail":
      return (
        <a href={target.href} {...named}>
          {children}
        </a>
      );
    case "file": {
      const href = fileLink?.(target.path) ?? null;
      if (href === null) return children;
      return (
        <a href={href} download={fileName(target.path)} className="md-file" {...named}>
          {children}
        </a>
      );
    }
    default:
      return children;
  }
}

const DRAWN = /\.(png|jpe?g|gif|webp|svg|avif)$/i;

/** An image of the workspace is shown; one from elsewhere is a link, since loading it tells on us. */
export function ImageView({ url, alt }: { url: string; alt: string }) {
  const words = useWords().render;
  const { fileLink } = useContext(MessageContext);
  const target = linkTarget(url);
  const file = drawnFile(target, fileLink);
  if (file !== null) return <img className="md-image" src={file} alt={alt} loading="lazy" />;
  const name = alt === "" ? words.image : alt;
  if (target === null) return name;
  return (
    <LinkView url={url} text={name}>
      {name}
    </LinkView>
  );
}

function drawnFile(target: LinkTarget | null, fileLink: Message["fileLink"]): string | null {
  if (target?.kind !== "file" || !DRAWN.test(target.path)) return null;
  return fileLink?.(target.path) ?? null;
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function TaskBox({ done }: { done: boolean }) {
  const words = useWords().render;
  return (
    <input
      type="checkbox"
      checked={done}
      disabled
      readOnly
      aria-label={done ? words.taskDone : words.taskOpen}
    />
  );
}

export function TableFrame({ children }: { children: ReactNode }) {
  const words = useWords().render;
  const frame = useRef<HTMLDivElement>(null);
  const scrolls = useOverflow(frame);
  return (
    <div
      ref={frame}
      className="md-table"
      {...(scrolls && { tabIndex: 0, role: "region", "aria-label": words.table })}
    >
      {children}
    </div>
  );
}

export function FootnoteCall({ number }: { number: number }) {
  const words = useWords().render;
  const { id } = useContext(MessageContext);
  return (
    <sup>
      <Jump to={`${id}-note-${number}`} id={`${id}-call-${number}`} label={words.footnote(number)}>
        {number}
      </Jump>
    </sup>
  );
}

/** The footnotes under a message. */
export function Footnotes({ children }: { children: ReactNode }) {
  const words = useWords().render;
  return (
    <section className="md-notes" aria-label={words.footnotes}>
      <ol>{children}</ol>
    </section>
  );
}

export function Footnote({ number, children }: { number: number; children: ReactNode }) {
  const words = useWords().render;
  const { id } = useContext(MessageContext);
  return (
    <li id={`${id}-note-${number}`} tabIndex={-1}>
      {children}
      <Jump to={`${id}-call-${number}`} label={words.footnoteBack(number)}>
        ↩
      </Jump>
    </li>
  );
}

interface JumpProps {
  to: string;
  id?: string;
  label: string;
  children: ReactNode;
}

/** A link inside the message that leaves the page's address alone. */
function Jump({ to, id, label, children }: JumpProps) {
  return (
    <a
      href={`#${to}`}
      id={id}
      aria-label={label}
      className="md-jump"
      onClick={(event) => {
        event.preventDefault();
        const target = document.getElementById(to);
        target?.scrollIntoView({ block: "nearest" });
        target?.focus();
      }}
    >
      {children}
    </a>
  );
}
