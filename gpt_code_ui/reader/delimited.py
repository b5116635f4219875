"""CSV and its kin: delimiter, header and footer found, columns from all rows or from a sample."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gpt_code_ui.reader.columns import is_number, table
from gpt_code_ui.reader.pieces import Text
from gpt_code_ui.reader.shape import Look, short

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
TABLE_NAMES = (".csv", ".tsv", ".tab", ".psv")
MAYBE_NAMES = (*TABLE_NAMES, ".txt", ".dat", ".data", ".asc")
SNIFFED_ROWS = 200
LONGEST_FIELD = 1 << 20
MOST_AROUND = 10
SURE = 0.8
YEAR = re.compile(r"(?:19|20)\d\d")

Rows = list[list[str]]


@dataclass(frozen=True)
class Layout:
    """Where the table is. ``header`` is None where the first row is data."""

    delimiter: str
    width: int
    first: int
    header: Sequence[str] | None


def delimited(text: Text, name: str) -> Look | None:
    """The table in a text; None if it is not one."""
    lower = name.lower()
    if "." in lower and not lower.endswith(MAYBE_NAMES):
        return None
    csv.field_size_limit(LONGEST_FIELD)
    layout = _layout(text.pieces[0], named=lower.endswith(TABLE_NAMES))
    if layout is None:
        return None
    parsed = [_rows(piece, layout.delimiter) for piece in text.pieces]
    begun = parsed[0][layout.first + (layout.header is not None) :]
    kept, foot = _without_foot(parsed[-1] if text.sampled else begun, layout.width)
    bodies = [begun, *parsed[1:-1], kept] if text.sampled else [kept]
    rows = [row for body in bodies for row in body]
    names = layout.header or [f"column {number + 1}" for number in range(layout.width)]
    found: Look = {"kind": "csv", **table(_unique(names), rows)}
    found["rows"] = len(rows)
    if text.sampled:
        found["rows"], found["rows_estimated"] = _estimate(text, rows), True
    found["around"] = [_line(row) for row in (*parsed[0][: layout.first][-MOST_AROUND:], *foot)]
    found["facts"] = {"delimiter": DELIMITERS[layout.delimiter], "encoding": text.encoding}
    found["notes"] = _notes(layout, foot, rows)
    return found


def sheet_table(rows: Rows, *, total: int | None) -> Look:
    """A sheet's cells as a table; nothing for an empty one. ``total``: rows of the whole sheet."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    if not filled:
        return {}
    width = max(at + 1 for row in filled[:SNIFFED_ROWS] for at, cell in enumerate(row) if cell)
    filled = [row[:width] for row in filled]
    first = next((at for at, row in enumerate(filled) if _is_full(row, width)), 0)
    layout = Layout(",", width, first, _header(filled[first:], width))
    body, foot = _without_foot(filled[first + (layout.header is not None) :], width)
    names = layout.header or [""] * width
    found = table(_unique(names), body)
    found["rows"] = len(body)
    found["around"] = [_line(row) for row in (*filled[:first][-MOST_AROUND:], *foot)]
    found["notes"] = _notes(layout, foot, [])
    if total is not None and total > len(rows):
        found["sampled"], found["rows_estimated"] = True, True
        found["rows"] = total - first - (layout.header is not None)
    return found


def _layout(head: str, *, named: bool) -> Layout | None:
    """The delimiter that divides most rows alike, and where the rows begin."""
    best: tuple[float, str, int] = (0, ",", 1)
    beginning = "".join(head[:200_000].splitlines(keepends=True)[:SNIFFED_ROWS])
    for delimiter in DELIMITERS:
        rows = _rows(beginning, delimiter)
        if not rows:
            return None
        width, alike = Counter(len(row) for row in rows).most_common(1)[0]
        share = alike / len(rows)
        if width > 1 and share + min(width, 50) / 100 > best[0]:
            best = (share + min(width, 50) / 100, delimiter, width)
    score, delimiter, width = best
    rows = _rows(beginning, delimiter)
    if not named and (score - min(width, 50) / 100 < SURE or len(rows) < 2):
        return None
    first = next((at for at, row in enumerate(rows) if _is_full(row, width)), 0)
    return Layout(delimiter, width, first, _header(rows[first:], width))


def _rows(text: str, delimiter: str) -> Rows:
    """The rows that are not blank; a quote that nothing closes is taken as a character."""
    rows = _parse(text, delimiter, csv.QUOTE_MINIMAL)
    if len(rows) * 4 < text.count("\n"):
        bare = _parse(text, delimiter, csv.QUOTE_NONE)
        rows = bare if len(bare) > 4 * len(rows) else rows
    return rows


def _parse(text: str, delimiter: str, quoting: Literal[0, 3]) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    rows: Rows = []
    try:
        rows.extend(row for row in reader if any(cell.strip() for cell in row))
    except csv.Error:
        pass  # a field longer than any table has: what came before it is what there is
    return rows


def _is_full(row: Sequence[str], width: int) -> bool:
    return len(row) == width and sum(bool(cell.strip()) for cell in row) * 2 > width


def _header(rows: Rows, width: int) -> list[str] | None:
    """The first row if it names the columns: distinct words, or years beside a word."""
    if not rows:
        return None
    cells = [cell.strip() for cell in rows[0]]
    told = [cell for cell in cells if cell]
    numbers = [cell for cell in told if is_number(cell)]
    years = all(YEAR.fullmatch(cell) for cell in numbers) and len(numbers) < len(told)
    if len(set(told)) < len(told) and len(numbers) > 0:
        return None
    return cells if not numbers or years else None


def _unique(names: Sequence[str]) -> list[str]:
    return [name or f"column {at + 1}" for at, name in enumerate(names)]


def _without_foot(rows: Rows, width: int) -> tuple[Rows, Rows]:
    """The rows, and the lines below them that are no rows: notes, sources."""
    end = len(rows)
    while end > max(0, len(rows) - MOST_AROUND) and _is_note(rows[end - 1], width):
        end -= 1
    return rows[:end], rows[end:]


def _is_note(row: Sequence[str], width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in row)
    return width > 1 and filled == 1 and (len(row) != width or (width > 2 and bool(row[0].strip())))


def _line(row: Sequence[str]) -> str:
    return short(" ".join(cell for cell in row if cell.strip()))


def _estimate(text: Text, rows: Rows) -> int:
    """Rows in all, from the length of those that were seen."""
    if not rows:
        return 0
    seen = sum(len(piece.encode(text.encoding, "replace")) for piece in text.pieces)
    return round(len(rows) * text.size / max(seen, 1))


def _notes(layout: Layout, foot: Rows, rows: Rows) -> list[str]:
    notes = []
    if layout.header is None:
        notes.append("no header row was found; columns are numbered")
    elif layout.first:
        notes.append(
            f"the header is row {layout.first + 1} of those that are not blank; "
            f"{layout.first} title line(s) stand above it"
        )
    if foot:
        notes.append(f"{len(foot)} line(s) below the rows are notes, not data")
    uneven = sum(len(row) != layout.width for row in rows)
    if uneven:
        notes.append(f"{uneven} row(s) do not have {layout.width} fields")
    return notes
