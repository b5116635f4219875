/** The rows of a variable, served from the kernel: sorted, filtered, only what is in sight. */
import { ChevronLeft, ChevronRight, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../../i18n";
import { forgetRows, type TableQuery, useRows } from "../../lib/variables";
import { Dialog } from "../../ui/Dialog";
import { formText } from "../../ui/formText";
import { IconButton } from "../../ui/IconButton";
import { messageOf } from "../../ui/report";
import { Spinner } from "../../ui/Spinner";
import { Grid } from "./Grid";

/** The server sends so many columns at a time. */
const COLUMNS = 100;

interface Props {
  conversationId: string;
  name: string;
  type: string;
  idle: boolean;
  onClose: () => void;
}

export default function TableDialog({ conversationId, name, type, idle, onClose }: Props) {
  const words = useWords();
  const [query, setQuery] = useState<TableQuery>({ name, column: 0 });
  useEffect(() => forgetRows, []);
  const first = useRows(conversationId, query, 0, idle);
  // What was there before stands until the new order has come.
  const [shown, setShown] = useState(first.data);
  if (first.data !== undefined && first.data !== shown) setShown(first.data);
  const working = idle && first.data === undefined && first.error === undefined;
  return (
    <Dialog full open onClose={onClose} title={`${name} · ${type}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Filter
          onFilter={(filter) =>
            setQuery(({ filter: _, ...rest }) => (filter ? { ...rest, filter } : rest))
          }
        />
        {shown && (
          <p className="flex items-center gap-2 text-[13px] text-muted" role="status">
            {words.variables.size(shown.matching, shown.total, shown.columns_total)}
            {working && <Spinner size={14} />}
          </p>
        )}
        {shown && shown.columns_total > COLUMNS && (
          <ColumnPager
            first={query.column}
            total={shown.columns_total}
            onChange={(column) => setQuery((before) => ({ ...before, column }))}
          />
        )}
      </div>
      {first.error && (
        <p className="text-[13px] text-danger [overflow-wrap:anywhere]" role="alert">
          {messageOf(first.error, words)}
        </p>
      )}
      {!idle && <p className="text-[13px] text-muted">{words.variables.busy}</p>}
      {shown === undefined ? (
        working && <Spinner />
      ) : (
        <Grid
          label={name}
          conversationId={conversationId}
          query={query}
          idle={idle}
          head={shown}
          onSort={(sort) => setQuery(({ sort: _, ...rest }) => (sort ? { ...rest, sort } : rest))}
        />
      )}
    </Dialog>
  );
}

function Filter({ onFilter }: { onFilter: (filter: string) => void }) {
  const { variables } = useWords();
  return (
    <form
      className="flex min-w-0 flex-1 basis-64 items-center gap-2 rounded-md border border-line-strong bg-bg px-2.5 focus-within:border-accent"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(formText(event.currentTarget, "filter").trim());
      }}
    >
      <Search size={15} className="shrink-0 text-muted" aria-hidden />
      <input
        name="filter"
        type="search"
        aria-label={variables.filter}
        placeholder={variables.example}
        maxLength={2000}
        autoComplete="off"
        spellCheck={false}
        // The cross of a search field empties it without a submit.
        onInput={(event) => event.currentTarget.value === "" && onFilter("")}
        className="h-9 min-w-0 flex-1 bg-transparent text-sm outline-none"
      />
    </form>
  );
}

interface PagerProps {
  first: number;
  total: number;
  onChange: (column: number) => void;
}

function ColumnPager({ first, total, onChange }: PagerProps) {
  const { variables } = useWords();
  const last = Math.min(first + COLUMNS, total);
  return (
    <div className="flex items-center text-[13px] text-muted">
      <IconButton
        small
        label={variables.columnsBefore}
        disabled={first === 0}
        onClick={() => onChange(Math.max(0, first - COLUMNS))}
      >
        <ChevronLeft size={16} aria-hidden />
      </IconButton>
      {variables.columns(first + 1, last)}
      <IconButton
        small
        label={variables.columnsAfter}
        disabled={last === total}
        onClick={() => onChange(first + COLUMNS)}
      >
        <ChevronRight size={16} aria-hidden />
      </IconButton>
    </div>
  );
}
