"""Columns from rows of text: types, missing values, extremes, examples.

A value counts as missing by the words that pandas takes for missing. A column has a type when
nearly all its values fit; the others are counted.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from gpt_code_ui.reader.shape import (
    MOST_COLUMNS,
    SAMPLE_COLUMNS,
    SAMPLE_ROWS,
    Column,
    Look,
    short,
)

MISSING = frozenset({
    "", "#N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan",
    "null",
})  # fmt: skip
INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
MONEY = re.compile(r"[-+(]?[$€£¥￥]?\d{1,3}(?:,\d{3})*(?:\.\d+)?[%)]?|[-+]?\d+(?:\.\d+)?%")
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{4}年\d{1,2}月(?:\d{1,2}日)?"
)
DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
SORTED_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")
BOOLEAN = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", "yes", "no", "Yes", "No"})
ENOUGH = 0.95
EXAMPLES = 3

Test = Callable[[str], bool]
TYPES: tuple[tuple[str, Test], ...] = (
    ("integer", lambda value: INTEGER.fullmatch(value) is not None),
    ("number", lambda value: NUMBER.fullmatch(value) is not None),
    ("true/false", BOOLEAN.__contains__),
    ("date", lambda value: DATE.fullmatch(value) is not None),
    ("date and time", lambda value: DATETIME.fullmatch(value) is not None),
    ("number written as text", lambda value: MONEY.fullmatch(value) is not None),
)


def is_number(value: str) -> bool:
    """Whether a cell is a plain number."""
    return NUMBER.fullmatch(value.strip()) is not None


def table(
    names: Sequence[str], rows: Sequence[Sequence[str]], types: Sequence[str] | None = None
) -> Look:
    """The columns and the first rows. ``types`` are those that the file itself declares."""
    width = len(names)
    shown = min(width, MOST_COLUMNS)
    columns = [
        column(names[at], (row[at] if at < len(row) else "" for row in rows)) for at in range(shown)
    ]
    for declared, one in zip(types or (), columns, strict=False):
        one["type"] = declared
    sample = [[short(cell) for cell in row[:SAMPLE_COLUMNS]] for row in rows[:SAMPLE_ROWS]]
    return {"width": width, "columns": columns, "sample": sample}


def column(name: str, cells: Iterable[str]) -> Column:
    """One column from all its cells."""
    values: list[str] = []
    missing = 0
    for cell in cells:
        value = cell.strip()
        if value in MISSING:
            missing += 1
        else:
            values.append(value)
    kind, odd = _type(values)
    found: Column = {"name": short(name), "type": kind, "missing": missing}
    if odd:
        found["odd"] = odd
    found["examples"] = [short(value) for value in _first_distinct(values)]
    found.update(_extremes(kind, values))
    return found


def _type(values: Sequence[str]) -> tuple[str, int]:
    """The narrowest type that nearly all values have, and how many do not."""
    if not values:
        return "empty", 0
    may_differ = int(len(values) * (1 - ENOUGH))
    for kind, test in TYPES:
        odd = 0
        for value in values:
            if not test(value):
                odd += 1
                if odd > (may_differ if kind != "integer" else 0):
                    break
        else:
            return kind, odd
    return "text", 0


def _first_distinct(values: Sequence[str]) -> list[str]:
    found: list[str] = []
    for value in values:
        if value not in found:
            found.append(value)
            if len(found) == EXAMPLES:
                break
    return found


def _extremes(kind: str, values: Sequence[str]) -> Column:
    """The least and the greatest of numbers, and of dates that sort as text."""
    if kind in ("integer", "number"):
        numbers = [value for value in values if NUMBER.fullmatch(value)]
        return {"min": short(min(numbers, key=float)), "max": short(max(numbers, key=float))}
    if kind in ("date", "date and time"):
        dates = [value for value in values if SORTED_DATE.fullmatch(value)]
        if len(dates) == len(values):
            return {"min": short(min(dates)), "max": short(max(dates))}
    return {}
