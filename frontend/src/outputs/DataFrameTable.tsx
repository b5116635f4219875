/** A data frame: its head stays in sight, numbers stand under each other, many rows come by parts. */
import { useState } from "react";
import { useWords } from "../i18n";
import type { DataTable, TableCell } from "./dataframe";
import { Fold } from "./Fold";

/** Cells on the page at first; what decides how many rows that are is the number of columns. */
const CELLS = 5_000;
const FEWEST_ROWS = 25;

export function DataFrameTable({ table, fold }: { table: DataTable; fold: string }) {
  const words = useWords().outputs;
  const part = Math.max(FEWEST_ROWS, Math.floor(CELLS / Math.max(1, table.numeric.length)));
  const [shown, setShown] = useState(part);
  const left = table.body.length - shown;
  return (
    <div>
      <Fold id={fold} label={words.table}>
        <table className="output-table">
          <thead>
            <Rows rows={table.head} table={table} head />
          </thead>
          <tbody>
            <Rows rows={table.body.slice(0, shown)} table={table} />
          </tbody>
        </table>
        {left > 0 && (
          <button
            type="button"
            className="output-button"
            onClick={() => setShown((count) => count + part)}
          >
            {words.moreRows(Math.min(left, part))}
          </button>
        )}
      </Fold>
      <p className="output-note">{words.size(table.size.rows, table.size.columns)}</p>
    </div>
  );
}

interface RowsProps {
  rows: readonly TableCell[][];
  table: DataTable;
  head?: boolean;
}

function Rows({ rows, table, head = false }: RowsProps) {
  return rows.map((row, index) => (
    // oxlint-disable-next-line react/no-array-index-key
    <tr key={index}>
      {row.map((cell) => (
        <Cell
          key={cell.column}
          cell={cell}
          numeric={table.numeric[cell.column] === true}
          head={head}
        />
      ))}
    </tr>
  ));
}

function Cell({ cell, numeric, head }: { cell: TableCell; numeric: boolean; head: boolean }) {
  // A header that says nothing, as in the corner, is none.
  const Tag = (cell.header || head) && cell.text !== "" ? "th" : "td";
  return (
    <Tag
      className={className(cell, numeric, head)}
      {...(Tag === "th" && { scope: head ? "col" : "row" })}
      {...(cell.columns > 1 && { colSpan: cell.columns })}
      {...(cell.rows > 1 && { rowSpan: cell.rows })}
    >
      {cell.text}
    </Tag>
  );
}

function className(cell: TableCell, numeric: boolean, head: boolean): string | undefined {
  const names = [
    numeric && cell.columns === 1 && "output-table-number",
    cell.column === 0 && (cell.header || head) && "output-table-first",
  ].filter((name) => typeof name === "string");
  return names.length > 0 ? names.join(" ") : undefined;
}
