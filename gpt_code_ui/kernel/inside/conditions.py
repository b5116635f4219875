"""The language of filters: ``price > 100 and city ~ ber``, or a plain word that any column has.

Nothing of it is evaluated as code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

OPERATORS = ("==", "!=", ">=", "<=", "!~", "=", ">", "<", "~")
PIECE = re.compile(
    r"""\s*(?:`(?P<quoted>[^`]+)`|(?P<name>[^=!<>~"'`]+?))\s*"""
    r"""(?P<operator>==|!=|>=|<=|!~|=|>|<|~)\s*(?P<value>.*?)\s*""",
    re.DOTALL,
)
# What is in quotes holds no "and".
AND = re.compile(r"""("[^"]*"|'[^']*'|`[^`]*`)|\s+(?:and|AND|&&?)\s+""")


class Refused(Exception):
    """What cannot be answered, in words for the person."""

    def __init__(self, message: str, hint: str | None = None, code: str = "invalid") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


class Condition(NamedTuple):
    """``column`` is a position, or None for any of them; then the operator is ``~``."""

    column: int | None
    operator: str
    value: str


def parse(text: str, names: Sequence[str]) -> list[Condition]:
    """The conditions of a filter; all have to hold. Raises Refused."""
    return [_condition(piece, names) for piece in _pieces(text) if piece.strip()]


def _pieces(text: str) -> list[str]:
    """The text without its ``and``, cut there."""
    pieces, begin = [], 0
    for found in AND.finditer(text):
        if found[1] is None:
            pieces.append(text[begin : found.start()])
            begin = found.end()
    return [*pieces, text[begin:]]


def _condition(piece: str, names: Sequence[str]) -> Condition:
    found = PIECE.fullmatch(piece)
    if found is None:
        return Condition(None, "~", unquoted(piece.strip()))
    name = found["quoted"] or found["name"].strip()
    column = column_named(name, names)
    if column is None:
        raise Refused(f"There is no column {name}.", "To look for a text, put it in quotes.")
    operator = "=" if found["operator"] == "==" else found["operator"]
    return Condition(column, operator, unquoted(found["value"]))


def unquoted(value: str) -> str:
    """A value without the quotes around it."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def column_named(name: str, names: Sequence[str]) -> int | None:
    """The position of a column: by its name, ``#3`` by its number, else in another case."""
    if name in names:
        return list(names).index(name)
    if re.fullmatch(r"#\d{1,9}", name) and int(name[1:]) < len(names):
        return int(name[1:])
    alike = [at for at, one in enumerate(names) if one.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def parse_sort(text: str, names: Sequence[str]) -> tuple[int, bool]:
    """The column of ``name``, ``-name`` or ``name:desc``, and whether it goes down.

    Raises Refused.
    """
    plain = re.sub(r"(?:[:\s]+)(asc|desc)(?:ending)?$", "", text, flags=re.IGNORECASE)
    ending = text[len(plain) :].strip(": ").lower()
    for name, down in ((text, False), (text.removeprefix("-"), True),
                       (plain, ending.startswith("desc"))):  # fmt: skip
        column = column_named(name, names)
        if column is not None:
            return column, down
    raise Refused(f"There is no column {text}.")
