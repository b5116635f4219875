/**
 * A message in Markdown, whole or still being written. Only the block at its end is parsed and drawn
 * again while it grows.
 */
import type { FootnoteDefinition } from "mdast";
import { memo, useId, useMemo, useState } from "react";
import { type Block, MarkdownBlocks } from "./blocks";
import { Footnote, Footnotes, type Message, MessageContext } from "./parts";
import { draw } from "./render";
import "./markdown.css";

interface Props {
  text: string;
  streaming?: boolean;
  /** The address of a workspace file; null where there is none. */
  onFileLink?: (path: string) => string | null;
}

type Notes = ReadonlyMap<string, number>;

const NO_NOTES: Notes = new Map();

export function Markdown({ text, streaming = false, onFileLink }: Props) {
  const [parser] = useState(() => new MarkdownBlocks());
  const id = useId();
  const message: Message = useMemo(() => ({ fileLink: onFileLink, id }), [onFileLink, id]);
  const blocks = parser.update(text);
  const definitions = definitionsOf(blocks);
  const notes = definitions.size === 0 ? NO_NOTES : numbered(blocks, definitions);
  return (
    <MessageContext value={message}>
      <div className={streaming ? "md md-growing" : "md"}>
        {blocks.map((block, index) => (
          <BlockView
            key={block.start}
            block={block}
            notes={block.calls.length > 0 ? notes : NO_NOTES}
            growing={streaming && index === blocks.length - 1}
          />
        ))}
        {notes.size > 0 && <NoteList notes={notes} definitions={definitions} />}
      </div>
    </MessageContext>
  );
}

interface BlockProps {
  block: Block;
  notes: Notes;
  growing: boolean;
}

const BlockView = memo(function BlockView({ block, notes, growing }: BlockProps) {
  const formulaOpen = growing && !/(\$\$|\\\])\s*$/.test(block.source);
  return draw(block.nodes, { notes, growing, formulaOpen });
});

type Definitions = ReadonlyMap<string, FootnoteDefinition>;

const NO_DEFINITIONS: Definitions = new Map();

function definitionsOf(blocks: readonly Block[]): Definitions {
  if (blocks.every((block) => block.footnotes.length === 0)) return NO_DEFINITIONS;
  const found = new Map<string, FootnoteDefinition>();
  for (const definition of blocks.flatMap((block) => block.footnotes)) {
    if (!found.has(definition.identifier)) found.set(definition.identifier, definition);
  }
  return found;
}

/** Footnotes are numbered as they are called. */
function numbered(blocks: readonly Block[], definitions: Definitions): Notes {
  const notes = new Map<string, number>();
  for (const call of blocks.flatMap((block) => block.calls)) {
    if (definitions.has(call) && !notes.has(call)) notes.set(call, notes.size + 1);
  }
  return notes;
}

function NoteList({ notes, definitions }: { notes: Notes; definitions: Definitions }) {
  return (
    <Footnotes>
      {[...notes].map(([identifier, number]) => (
        <Footnote key={identifier} number={number}>
          {draw(definitions.get(identifier)?.children ?? [], {
            notes,
            growing: false,
            formulaOpen: false,
          })}
        </Footnote>
      ))}
    </Footnotes>
  );
}
