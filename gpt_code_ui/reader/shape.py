"""What the reader answers with: plain values for JSON, every text and list of bounded length.

What quotes a file's content stands in ``sample``, ``text``, ``around`` and a column's ``examples``,
``min`` and ``max`` only; everything else is about the file. The web side relies on that.
"""

from typing import TypedDict

LONGEST_VALUE = 200
LONGEST_TEXT = 2000
MOST_COLUMNS = 200
MOST_PARTS = 50
SAMPLE_ROWS = 20
SAMPLE_COLUMNS = 50


class Column(TypedDict, total=False):
    """A column; ``odd`` counts values that are not of its type."""

    name: str
    type: str
    missing: int
    odd: int
    examples: list[str]
    min: str
    max: str


class Part(TypedDict, total=False):
    """A sheet of a workbook or a table of a database."""

    name: str
    rows: int
    width: int
    columns: list[str]


class Look(TypedDict, total=False):
    """What was found. ``rows_estimated``: ``rows`` is worked out from a sample."""

    kind: str
    size: int
    rows: int
    rows_estimated: bool
    width: int
    columns: list[Column]
    sample: list[list[str]]
    facts: dict[str, str]
    parts: list[Part]
    text: str
    around: list[str]
    notes: list[str]
    sampled: bool
    broken: str


def short(value: object, limit: int = LONGEST_VALUE) -> str:
    """A value as one line of printable text, cut with an ellipsis."""
    text = value if isinstance(value, str) else _spelled(value)
    text = " ".join(text[: limit * 4].split())
    text = "".join(char if char.isprintable() else "�" for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def block(text: str) -> str:
    """The beginning of a text, with its lines."""
    lines = [short(line, 400) for line in text[: LONGEST_TEXT * 2].splitlines()]
    return "\n".join(lines).strip("\n")[:LONGEST_TEXT]


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def broken(kind: str, reason: str) -> Look:
    """A file that is not what it says it is."""
    return {"kind": kind, "broken": reason}
