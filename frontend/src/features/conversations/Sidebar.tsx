/** The conversations: begin one, find one, name, pin and delete them. */
import { PanelLeftClose, Search, SquarePen, X } from "lucide-react";
import { type ReactNode, type RefObject, useDeferredValue, useState } from "react";
import { useWords } from "../../i18n";
import { useConversations } from "../../lib/lists";
import type { Snapshot } from "../../lib/resource";
import { hrefOf } from "../../lib/route";
import { IconButton } from "../../ui/IconButton";
import { Kbd } from "../../ui/Kbd";
import { Mark } from "../../ui/Mark";
import { ConversationRow } from "./ConversationRow";
import { groupByDay } from "./groups";

interface Props {
  current: string | undefined;
  searchField: RefObject<HTMLInputElement | null>;
  onClose: () => void;
  /** After a choice, where the sidebar is a drawer. */
  onChosen: () => void;
  /** More to do at the top. */
  tools: ReactNode;
  footer: ReactNode;
}

export function Sidebar({ current, searchField, onClose, onChosen, tools, footer }: Props) {
  const words = useWords();
  const [query, setQuery] = useState("");
  return (
    <nav
      aria-label={words.a11y.sidebar}
      data-drop="notebooks"
      className="flex h-full min-h-0 flex-col bg-side"
    >
      <div className="flex h-(--header) items-center gap-2.5 pr-2 pl-4">
        <Mark size={24} />
        <span className="flex-1 text-[15px] font-semibold tracking-tight">{words.brand}</span>
        {tools}
        <IconButton label={words.sidebar.close} keys="Mod+Shift+S" onClick={onClose}>
          <PanelLeftClose size={18} aria-hidden />
        </IconButton>
      </div>
      <div className="flex flex-col gap-1.5 px-2.5 pt-1 pb-2">
        <a
          href={hrefOf(undefined)}
          onClick={onChosen}
          className="flex h-9 items-center gap-2.5 rounded-md px-2 text-sm font-medium transition-colors hover:bg-hover pointer-coarse:h-11"
        >
          <SquarePen size={17} className="text-muted" aria-hidden />
          <span className="flex-1">{words.sidebar.newChat}</span>
          <span className="pointer-coarse:hidden" aria-hidden>
            <Kbd keys="Mod+Shift+O" />
          </span>
        </a>
        <SearchField field={searchField} query={query} onChange={setQuery} />
      </div>
      <List query={useDeferredValue(query.trim())} current={current} onChosen={onChosen} />
      <div className="border-t border-line p-2">{footer}</div>
    </nav>
  );
}

interface SearchProps {
  field: RefObject<HTMLInputElement | null>;
  query: string;
  onChange: (query: string) => void;
}

function SearchField({ field, query, onChange }: SearchProps) {
  const words = useWords();
  return (
    <div className="relative">
      <Search
        size={17}
        className="pointer-events-none absolute inset-y-0 left-2 my-auto text-muted"
        aria-hidden
      />
      <input
        ref={field}
        type="search"
        value={query}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          onChange("");
          event.currentTarget.blur();
        }}
        aria-label={words.sidebar.search}
        placeholder={words.sidebar.search}
        className="peer h-9 w-full rounded-md border border-transparent bg-transparent pr-2 pl-8.5 text-base transition-colors placeholder:text-fg hover:bg-hover focus:border-line-strong focus:bg-bg focus:placeholder:text-faint sm:text-sm pointer-coarse:h-11 [&::-webkit-search-cancel-button]:hidden"
      />
      {query === "" ? (
        <span
          className="pointer-events-none absolute inset-y-0 right-2 flex items-center peer-focus:hidden pointer-coarse:hidden"
          aria-hidden
        >
          <Kbd keys="Mod+K" />
        </span>
      ) : (
        <span className="absolute inset-y-0 right-1 flex items-center">
          <IconButton small label={words.sidebar.clearSearch} onClick={() => onChange("")}>
            <X size={15} aria-hidden />
          </IconButton>
        </span>
      )}
    </div>
  );
}

interface ListProps {
  query: string;
  current: string | undefined;
  onChosen: () => void;
}

function List({ query, current, onChosen }: ListProps) {
  const words = useWords();
  const { data, error, at } = useShown(useConversations(query));
  const now = new Date(at);
  if (error && data === undefined) return <Note text={words.sidebar.failed} />;
  if (data === undefined) return <div className="flex-1" aria-busy />;
  if (data.length === 0) {
    return <Note text={query === "" ? words.sidebar.empty : words.sidebar.noMatch(query)} />;
  }
  return (
    <div className="scroller min-h-0 flex-1 px-2.5 pb-3">
      {groupByDay(data, now).map(({ name, items }) => (
        <section key={name} aria-label={words.sidebar[name]}>
          <h2 className="px-2 pt-3.5 pb-1 text-xs font-medium text-faint">{words.sidebar[name]}</h2>
          <ul className="flex flex-col gap-px">
            {items.map((item) => (
              <ConversationRow
                key={item.id}
                item={item}
                current={item.id === current}
                onChosen={onChosen}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** Until the answer to a new search is there, the one before stays. */
function useShown<T>(snapshot: Snapshot<T>): Snapshot<T> {
  const [shown, setShown] = useState(snapshot);
  const known = snapshot.data !== undefined || snapshot.error !== undefined;
  if (known && snapshot !== shown) setShown(snapshot);
  return known ? snapshot : shown;
}

function Note({ text }: { text: string }) {
  return <p className="flex-1 px-4.5 pt-4 text-sm text-muted [overflow-wrap:anywhere]">{text}</p>;
}
