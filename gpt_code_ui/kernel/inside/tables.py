"""Frames, series and arrays as tables: a page of rows, in an order, of those that fit a filter.

Only what a page shows is turned into text. An order is an array of row numbers; the person's data
are neither copied nor changed.
"""

from __future__ import annotations

import sys
from typing import Any

from .arrays import NumpyTable
from .conditions import Refused, parse, parse_sort
from .frames import PandasTable, PolarsTable
from .values import clipped, is_of, plain, shape

__all__ = ["Refused", "arrange", "first_values", "is_table", "open_table", "page"]

MOST_ROWS = 1000
MOST_COLUMNS = 100
PAGE_CHARACTERS = 1_000_000
FIRST_COLUMNS = 6
WIDEST = 50_000


def is_table(value: Any) -> bool:
    """Whether ``open_table`` opens it."""
    known = (
        is_of(value, "pandas", "DataFrame", "Series", "Index")
        or is_of(value, "polars", "DataFrame", "Series")
        or is_of(value, "numpy", "ndarray")
    )
    size = shape(value) if known else None
    return size is not None and len(size) in (1, 2) and (len(size) == 1 or size[1] <= WIDEST)


def open_table(value: Any) -> Any:
    """A table over a value; None where it is none."""
    if not is_table(value):
        return None
    if is_of(value, "numpy", "ndarray"):
        return NumpyTable(value, sys.modules["numpy"])
    if is_of(value, "pandas", "DataFrame", "Series", "Index"):
        return PandasTable(value, sys.modules["pandas"])
    return PolarsTable(value, sys.modules["polars"])


def arrange(table: Any, sort: str | None, filter: str | None) -> Any:
    """The numbers of the rows that fit, in order; None for all of them as they are."""
    positions: Any = None
    for condition in parse(filter or "", table.names):
        if condition.column is None:
            positions = table.search(condition.value, positions)
        else:
            positions = table.where(condition, positions)
    if sort:
        column, down = parse_sort(sort, table.names)
        positions = table.order(column, down, positions)
    if is_of(positions, "numpy", "ndarray") and table.rows < 2**31:
        positions = positions.astype("int32")
    return positions


def page(table: Any, positions: Any, question: dict[str, Any]) -> dict[str, Any]:
    """The rows from ``offset`` on; fewer than ``limit`` where they are long."""
    offset = question["offset"]
    matching = table.rows if positions is None else len(positions)
    count = max(0, min(question["limit"], MOST_ROWS, matching - offset))
    chosen = (
        slice(offset, offset + count) if positions is None else positions[offset : offset + count]
    )
    first = min(question["column"], len(table.names))
    columns = range(first, min(first + MOST_COLUMNS, len(table.names)))
    cells = [table.cells(column, chosen) for column in columns]
    index = table.labels(chosen)
    rows = [list(row) for row in zip(*cells)] if cells else [[]] * count  # noqa: B905
    rows = _within(rows)
    return {
        "total": table.rows,
        "matching": matching,
        "offset": offset,
        "columns": [
            {"name": clipped(table.names[at]), "type": table.types[at], "kind": table.kinds[at]}
            for at in columns
        ],
        "columns_total": len(table.names),
        "column": first,
        "index": index[: len(rows)],
        "rows": rows,
    }


def _within(rows: list[list[str | None]]) -> list[list[str | None]]:
    """As many rows as one answer holds; at least one."""
    characters = 0
    for at, row in enumerate(rows):
        characters += sum(len(cell or "") + 4 for cell in row)
        if characters > PAGE_CHARACTERS and at:
            return rows[:at]
    return rows


def first_values(value: Any) -> str:
    """The first row of a frame by its columns, or the first values of a series or an array."""
    try:
        table = open_table(value)
        if len(table.names) == 1 and not table.is_frame:
            cells = table.cells(0, slice(0, FIRST_COLUMNS))
            return clipped(", ".join("–" if one is None else one for one in cells))
        parts = []
        for column in range(min(FIRST_COLUMNS, len(table.names))):
            cells = table.cells(column, slice(0, 1))
            shown = ("–" if cells[0] is None else cells[0]) if cells else ""
            parts.append(f"{plain(table.names[column])}: {shown}")
        return clipped(", ".join([*parts, *(["…"] if len(table.names) > FIRST_COLUMNS else [])]))
    except Exception:  # noqa: BLE001 - a frame of another version of its library
        return ""
