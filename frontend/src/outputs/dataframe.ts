/** The table of a data frame, as pandas and polars write it in HTML, as values. */

export interface TableCell {
  text: string;
  header: boolean;
  columns: number;
  rows: number;
  /** The column it starts in, from 0. */
  column: number;
}

export interface DataTable {
  head: TableCell[][];
  body: TableCell[][];
  /** Whether a column holds only numbers, and gaps. */
  numeric: boolean[];
  /** Of the whole frame, of which the table may show a part. */
  size: { rows: number; columns: number };
}

/** The first data frame in the fragment; null when there is none. */
export function readDataFrame(fragment: DocumentFragment): DataTable | null {
  const table = fragment.querySelector("table.dataframe");
  if (table === null) return null;
  const head = joined(grid([...table.querySelectorAll("thead > tr")]));
  const body = grid([...table.querySelectorAll("tbody > tr, tfoot > tr")]);
  const width = Math.max(0, ...[...head, ...body].flat().map((cell) => cell.column + cell.columns));
  const labels = Math.max(0, ...body.map((row) => row.filter((cell) => cell.header).length));
  table.remove();
  return {
    head,
    body,
    numeric: numericColumns(body, width),
    size: statedSize(fragment.textContent ?? "") ?? { rows: body.length, columns: width - labels },
  };
}

/** Gives every cell its column, around the cells that reach down from rows above. */
function grid(rows: Element[]): TableCell[][] {
  const reaching: number[] = [];
  return rows.map((row) => {
    let column = 0;
    const cells = [...row.children].map((element) => {
      while ((reaching[column] ?? 0) > 0) column += 1;
      const cell = toCell(element, column);
      for (let at = column; at < column + cell.columns; at++) reaching[at] = cell.rows;
      column += cell.columns;
      return cell;
    });
    for (let at = 0; at < reaching.length; at++)
      reaching[at] = Math.max(0, (reaching[at] ?? 0) - 1);
    return cells;
  });
}

/** Pandas gives the names of the index a row of their own; they have room in the row above. */
function joined(head: TableCell[][]): TableCell[][] {
  const [above, names] = head.slice(-2);
  if (above === undefined || names === undefined) return head;
  const fits = above.every(({ text, columns }, at) => {
    const below = names[at];
    return below !== undefined && columns === below.columns && (text === "" || below.text === "");
  });
  if (!fits || above.length !== names.length) return head;
  return [
    ...head.slice(0, -2),
    above.map((cell, at) => ({ ...cell, text: cell.text || (names[at]?.text ?? "") })),
  ];
}

function toCell(element: Element, column: number): TableCell {
  return {
    text: (element.textContent ?? "").trim(),
    header: element.tagName === "TH",
    columns: span(element, "colspan", 1_000),
    rows: span(element, "rowspan", 65_534),
    column,
  };
}

function span(element: Element, name: string, most: number): number {
  const value = Number.parseInt(element.getAttribute(name) ?? "1", 10);
  return Number.isNaN(value) ? 1 : Math.min(Math.max(value, 1), most);
}

const LONGEST_NUMBER = 60;
const NUMBER = /^[-+−]?(\d[\d,_]*\.?\d*|\.\d+)(e[-+]?\d+)?\s?%?$|^[-+]?inf$/i;
const GAP = /^(|nan|nat|none|null|<na>|-|–|\.\.\.|…)$/i;

function numericColumns(body: TableCell[][], width: number): boolean[] {
  const found = Array.from({ length: width }, () => ({ numbers: 0, others: 0 }));
  for (const cell of body.flat()) {
    const column = found[cell.column];
    if (column === undefined || GAP.test(cell.text)) continue;
    if (cell.text.length <= LONGEST_NUMBER && NUMBER.test(cell.text)) column.numbers += 1;
    else column.others += 1;
  }
  return found.map(({ numbers, others }) => numbers > 0 && others === 0);
}

/** `891 rows × 12 columns` (pandas) or `shape: (891, 12)` (polars). */
function statedSize(text: string): DataTable["size"] | null {
  const found =
    /(\d{1,15})\s{1,3}rows?\s{1,3}×\s{1,3}(\d{1,15})\s{1,3}columns?/.exec(text) ??
    /shape:\s{0,3}\(([\d_]{1,20}),\s{0,3}([\d_]{1,20})\)/.exec(text);
  if (found === null) return null;
  const number = (digits: string | undefined) => Number((digits ?? "0").replaceAll("_", ""));
  return { rows: number(found[1]), columns: number(found[2]) };
}
