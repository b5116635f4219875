"""NumPy arrays as tables, and what frames do with the values of one column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .conditions import Condition, Refused
from .values import genuine, is_of, plain

CHUNK = 100_000
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
KINDS = {
    "b": "boolean", "i": "number", "u": "number", "f": "number", "c": "number", "M": "time",
    "m": "time",
}  # fmt: skip


def cell(value: Any) -> str | None:
    """A value as a table shows it; None for one that is missing."""
    kind = type(value)
    if value is None or (kind is float and value != value):
        return None
    if kind in (str, float, int):
        return plain(value)
    if is_of(value, "numpy", "generic"):
        return None if value != value else plain(value)
    if kind.__name__ in ("NAType", "NaTType") and genuine(kind, ("pandas",)):
        return None
    return plain(value)


def number(value: str) -> float | int | None:
    """The number that a text is, if it is one."""
    for kind in (int, float):
        try:
            return kind(value.replace(",", "").replace("_", ""))
        except ValueError:
            continue
    return None


def moment(value: str) -> datetime | None:
    """The time that a text is, if it is one."""
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


def needle(value: str, name: str, kind: str) -> Any:
    """A condition's value as its column's kind. Raises Refused."""
    if kind == "boolean":
        if value.lower() not in ("true", "false", "0", "1"):
            raise Refused(f"{name} is true or false, not {value!r}.")
        return value.lower() in ("true", "1")
    if kind == "number":
        found: Any = number(value)
    else:
        found = moment(value)
    if found is None:
        raise Refused(f"{name} holds {kind}s, and {value!r} is none.")
    return found


def missing(numpy: Any, values: Any) -> Any:
    """Which values of an array are not there."""
    kind = values.dtype.kind
    if kind in "fc":
        return numpy.isnan(values)
    if kind in "mM":
        return numpy.isnat(values)
    if kind == "O":
        return numpy.fromiter((cell(one) is None for one in values), bool, len(values))
    return numpy.zeros(len(values), bool)


def fits(numpy: Any, values: Any, condition: Condition, name: str) -> Any:
    """Which values of an array fit a condition; what is missing fits only ``= `` and nothing."""
    _, operator, value = condition
    kind = KINDS.get(values.dtype.kind, "text")
    if value == "" and operator in ("=", "!="):
        gone = missing(numpy, values)
        return gone if operator == "=" else ~gone
    if kind == "text" or operator in ("~", "!~"):
        return text_fits(numpy, values, operator, value)
    other = needle(value, name, kind)
    if values.dtype.kind in "mM":
        other = numpy.datetime64(other) if values.dtype.kind == "M" else numpy.timedelta64(other)
    fit = COMPARE[operator](values, other)
    return fit & ~missing(numpy, values) if operator == "!=" else fit


def text_fits(numpy: Any, values: Any, operator: str, value: str) -> Any:
    """Which values fit as they are shown; ``~`` minds no case."""
    found = numpy.zeros(len(values), bool)
    wanted = value.casefold() if operator in ("~", "!~") else value
    compare, amount = COMPARE.get(operator, COMPARE["="]), number(value)
    for begin in range(0, len(values), CHUNK):
        part = values[begin : begin + CHUNK]
        shown = [one if type(one) is str else cell(one) for one in part.tolist()]
        if operator in ("~", "!~"):
            fit = [one is not None and (wanted in one.casefold()) is (operator == "~")
                   for one in shown]  # fmt: skip
        elif amount is not None:
            fit = [_compares(compare, one, amount, wanted) for one in part.tolist()]
        else:
            fit = [one is not None and compare(one, wanted) for one in shown]
        found[begin : begin + CHUNK] = fit
    return found


def _compares(compare: Any, one: Any, amount: Any, wanted: str) -> bool:
    """Numbers with numbers, text with text."""
    if type(one) in (int, float):
        return bool(compare(one, amount))
    return type(one) is str and compare(one, wanted)


def sorted_positions(numpy: Any, values: Any, down: bool) -> Any:
    """The order of an array's values, equal ones as they stand, missing ones last."""
    if values.dtype.kind == "O":
        return _by_text(numpy, values, down)
    gone = missing(numpy, values)
    count = int(gone.sum())
    if not down:
        return numpy.argsort(values, kind="stable")
    # Backwards twice keeps equal ones as they stand.
    order = len(values) - 1 - numpy.argsort(values[::-1], kind="stable")[::-1]
    return numpy.concatenate([order[count:], order[:count]]) if count else order


def _by_text(numpy: Any, values: Any, down: bool) -> Any:
    """Objects: numbers among themselves, all else by how it is shown."""

    def key(one: Any) -> tuple[int, Any]:
        if type(one) in (int, float, bool):
            return (0, one)
        return (1, one if type(one) is str else cell(one))

    gone = missing(numpy, values)
    there = numpy.flatnonzero(~gone)
    keys = [key(one) for one in values[there]]
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=down)
    return numpy.concatenate([there[numpy.array(order, dtype=numpy.intp)],
                              numpy.flatnonzero(gone)])  # fmt: skip


def within(positions: Any, found: Any) -> Any:
    """Positions among positions, as positions of the table."""
    return found if positions is None else positions[found]


class NumpyTable:
    """An array of one or two dimensions, or of records."""

    is_frame = False

    def __init__(self, value: Any, numpy: Any) -> None:
        self._numpy = numpy
        self._array = array = numpy.ndarray.view(value, numpy.ndarray)
        self.rows = len(array)
        fields = array.dtype.names
        if fields is not None and array.ndim == 1:
            self.names = [str(name) for name in fields]
            self._columns = [array[name] for name in fields]
        elif array.ndim == 1:
            self.names, self._columns = ["values"], [array]
        else:
            self.names = [str(at) for at in range(array.shape[1])]
            self._columns = [array[:, at] for at in range(array.shape[1])]
        self.is_frame = len(self.names) != 1 or array.ndim == 2
        self.types = [str(column.dtype)[:80] for column in self._columns]
        self.kinds = [KINDS.get(column.dtype.kind, "text") for column in self._columns]

    def labels(self, chosen: Any) -> list[str]:
        """The numbers of the rows."""
        if isinstance(chosen, slice):
            return [str(at) for at in range(chosen.start, min(chosen.stop, self.rows))]
        return [str(at) for at in chosen]

    def cells(self, column: int, chosen: Any) -> list[str | None]:
        """The rows of a column as text."""
        return [cell(one) for one in self._columns[column][chosen]]

    def order(self, column: int, down: bool, positions: Any) -> Any:
        """Positions in the order of a column."""
        values = self._columns[column]
        values = values if positions is None else values[positions]
        return within(positions, sorted_positions(self._numpy, values, down))

    def where(self, condition: Condition, positions: Any) -> Any:
        """Positions of the rows that fit."""
        values = self._columns[condition.column or 0]
        values = values if positions is None else values[positions]
        fit = fits(self._numpy, values, condition, self.names[condition.column or 0])
        return within(positions, self._numpy.flatnonzero(fit))

    def search(self, value: str, positions: Any) -> Any:
        """Positions of the rows where any column has the text, or is the number."""
        fit = None
        for at, kind in enumerate(self.kinds):
            condition = search_condition(at, kind, value)
            if condition is None:
                continue
            values = self._columns[at]
            values = values if positions is None else values[positions]
            one = fits(self._numpy, values, condition, self.names[at])
            fit = one if fit is None else fit | one
        found = self._numpy.flatnonzero(fit) if fit is not None else self._numpy.zeros(0, int)
        return within(positions, found)


def search_condition(column: int, kind: str, value: str) -> Condition | None:
    """How a column of that kind is searched for a text; None where it cannot hold it."""
    if kind == "text":
        return Condition(column, "~", value)
    if kind == "number" and number(value) is not None:
        return Condition(column, "=", value)
    if kind == "time" and moment(value) is not None:
        return Condition(column, "=", value)
    if kind == "boolean" and value.lower() in ("true", "false"):
        return Condition(column, "=", value)
    return None
