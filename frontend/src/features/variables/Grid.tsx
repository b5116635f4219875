/** The rows in sight of a table of any length; the rest is neither drawn nor read. */
import { ArrowDown, ArrowUp } from "lucide-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useWords } from "../../i18n";
import { BLOCK, type TableQuery, useRows } from "../../lib/variables";
import type { TableColumn, TableRows } from "../../protocol/generated";
import { heightOf, lastTop, placeOf, ROW, topAt } from "./scroll";

const HEAD = 48;
/** While it is dragged past, a row is not asked for. */
const SETTLES_MS = 70;

interface Props {
  label: string;
  conversationId: string;
  query: TableQuery;
  idle: boolean;
  /** The first rows, which say what columns there are and how many rows. */
  head: TableRows;
  onSort: (sort: string | undefined) => void;
}

export function Grid({ label, conversationId, query, idle, head, onSort }: Props) {
  const words = useWords().variables;
  const [fits, setFits] = useState(10);
  const extent = { rows: head.matching, fits };
  const [wanted, setTop] = useState(0);
  const top = Math.min(wanted, lastTop(extent));
  const scroller = useRef<HTMLDivElement>(null);
  const place = useRef(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const watch = new ResizeObserver(() =>
      setFits(Math.max(3, Math.floor((element.clientHeight - HEAD) / ROW))),
    );
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  // The scroller stands where the row at the top belongs, whatever brought it there.
  const height = heightOf(extent);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const wants = placeOf(top, { rows: head.matching, fits });
    if (Math.abs(element.scrollTop - wants) > ROW) element.scrollTop = wants;
    place.current = element.scrollTop;
  }, [top, head.matching, fits]);

  const widths = useMemo(() => widthsOf(head), [head]);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const read = useReader(conversationId, query, idle, top, fits);
  const onKey = (event: KeyboardEvent) => {
    const to = keyed(event.key, top, fits, lastTop(extent));
    if (to === undefined || event.target !== event.currentTarget) return;
    event.preventDefault();
    setTop(to);
  };
  const rows = Array.from({ length: Math.min(fits, head.matching - top) }, (_, at) => top + at);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={scroller}
      role="region"
      aria-label={label}
      // biome-ignore lint: a scroller must be reachable by keyboard
      tabIndex={0}
      onKeyDown={onKey}
      onScroll={(event) => {
        const now = event.currentTarget.scrollTop;
        if (Math.abs(now - place.current) < 1) return;
        setTop(topAt(now, place.current, top, extent));
        place.current = now;
      }}
      className="scroller relative min-h-40 flex-1 overflow-auto rounded-md border border-line"
    >
      <div className="text-[13px]" style={{ height: height + HEAD, width: `${total}ch` }}>
        <table
          aria-rowcount={head.matching + 1}
          style={{ width: `${total}ch` }}
          className="sticky top-0 table-fixed border-separate border-spacing-0 text-[13px] tabular-nums"
        >
          <colgroup>
            {widths.map((width, at) => (
              // oxlint-disable-next-line react/no-array-index-key
              <col key={at} style={{ width: `${width}ch` }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              <th scope="col" className="sticky left-0 z-10 border-b border-line bg-sunken">
                <span className="sr-only">{words.row}</span>
              </th>
              {head.columns.map((column, at) => (
                <HeadCell
                  // oxlint-disable-next-line react/no-array-index-key
                  key={at}
                  column={column}
                  number={head.column + at}
                  sort={query.sort}
                  onSort={onSort}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row} number={row} columns={head.columns} {...read(row)} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface Cells {
  cells: (string | null)[] | undefined;
  index: string | undefined;
}

/** Reads the blocks that the rows in sight lie in, once they stay in sight. */
function useReader(
  id: string,
  query: TableQuery,
  idle: boolean,
  top: number,
  fits: number,
): (row: number) => Cells {
  const [settled, setSettled] = useState(top);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(top), SETTLES_MS);
    return () => clearTimeout(timer);
  }, [top]);
  const first = Math.floor(settled / BLOCK);
  const last = Math.floor((settled + fits) / BLOCK);
  const one = useRows(id, query, first, idle).data;
  const other = useRows(id, query, last, idle).data;
  return (row) => {
    for (const block of [one, other]) {
      const at = block ? row - block.offset : -1;
      if (block && at >= 0 && at < block.rows.length) {
        return { cells: block.rows[at], index: block.index[at] };
      }
    }
    return { cells: undefined, index: undefined };
  };
}

function keyed(key: string, top: number, fits: number, last: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: top + 1,
    ArrowUp: top - 1,
    PageDown: top + fits - 1,
    PageUp: top - fits + 1,
    Home: 0,
    End: last,
  };
  const to = steps[key];
  return to === undefined ? undefined : Math.max(0, Math.min(last, to));
}

/** Columns keep their width while rows go by: that of the first rows, within bounds; in `ch`. */
function widthsOf(table: TableRows): number[] {
  const width = (longest: number) => Math.min(32, Math.max(7, longest + 4));
  const longest = (texts: (string | null | undefined)[]) =>
    Math.max(0, ...texts.map((text) => shownLength(text ?? "")));
  return [
    width(longest([...table.index, String(table.total)])),
    ...table.columns.map(({ name, type }, at) =>
      width(longest([`${name}  `, type, ...table.rows.map((row) => row[at])])),
    ),
  ];
}

/** Chinese characters are twice as wide as a digit. */
function shownLength(text: string): number {
  return text.length + (text.match(/[\u2e80-\uffef]/g)?.length ?? 0);
}

interface HeadProps {
  column: TableColumn;
  number: number;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}

/** A click sorts upwards, another one downwards, a third gives back the order there was. */
function HeadCell({ column, number, sort, onSort }: HeadProps) {
  const up = `#${number}`;
  const down = `-#${number}`;
  const next = sort === up ? down : sort === down ? undefined : up;
  const Icon = sort === up ? ArrowUp : ArrowDown;
  return (
    // oxlint-disable-next-line jsx-a11y/control-has-associated-label
    <th
      scope="col"
      aria-sort={sort === up ? "ascending" : sort === down ? "descending" : "none"}
      className="border-b border-line bg-sunken p-0 font-semibold"
    >
      <button
        type="button"
        onClick={() => onSort(next)}
        className={`block w-full px-2.5 py-1.5 hover:bg-hover ${column.kind === "number" ? "text-end" : "text-start"}`}
      >
        <span className="flex items-center gap-1 [.text-end_&]:justify-end">
          <span className="truncate">{column.name}</span>
          {(sort === up || sort === down) && (
            <Icon size={13} className="shrink-0 text-accent" aria-hidden />
          )}
        </span>
        <span className="block truncate text-[11px] font-normal text-muted">{column.type}</span>
      </button>
    </th>
  );
}

interface RowProps extends Cells {
  number: number;
  columns: TableColumn[];
}

const CELL = "h-7 truncate border-b border-line px-2.5";
const NOTHING = "–";

function Row({ number, columns, cells, index }: RowProps) {
  const { missing } = useWords().variables;
  return (
    <tr aria-rowindex={number + 2}>
      <th
        scope="row"
        className={`${CELL} sticky left-0 z-10 bg-sunken text-end font-normal text-muted`}
      >
        {index ?? number}
      </th>
      {columns.map((column, at) => {
        const value = cells?.[at];
        return (
          <td
            // oxlint-disable-next-line react/no-array-index-key
            key={at}
            className={`${CELL} ${column.kind === "number" ? "text-end" : ""}`}
            title={value !== null && value !== undefined && value.length > 24 ? value : undefined}
          >
            {value === null ? (
              <span className="text-faint">
                <span aria-hidden>{NOTHING}</span>
                <span className="sr-only">{missing}</span>
              </span>
            ) : (
              value
            )}
          </td>
        );
      })}
    </tr>
  );
}
