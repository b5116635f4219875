"""Frames and series of pandas and of Polars as tables, each by its own library's means."""

from __future__ import annotations

import sys
from typing import Any

from .arrays import (
    COMPARE,
    KINDS,
    cell,
    fits,
    needle,
    search_condition,
    sorted_positions,
    text_fits,
    within,
)
from .conditions import Condition, Refused
from .values import is_of, plain


class PandasTable:
    """A frame, a series or an index; its row labels come along."""

    def __init__(self, value: Any, pandas: Any) -> None:
        self._pandas = pandas
        self._numpy = sys.modules["numpy"]
        self.is_frame = is_of(value, "pandas", "DataFrame")
        if self.is_frame:
            # A class derived from it may do anything in its methods: this one is pandas' own.
            self._frame = pandas.DataFrame(value, copy=False)
        elif is_of(value, "pandas", "MultiIndex"):
            self._frame = pandas.MultiIndex.to_frame(value, index=False, allow_duplicates=True)
        else:
            # Without a name it would be column 0.
            series = pandas.Series(value, copy=False)
            self._frame = series.to_frame("values" if series.name is None else series.name)
        self.rows = len(self._frame)
        columns = self._frame.columns
        self.names = [label(one) for one in columns]
        dtypes = list(self._frame.dtypes)
        self.types = [str(dtype)[:80] for dtype in dtypes]
        self.kinds = [kind_of(dtype) for dtype in dtypes]

    def labels(self, chosen: Any) -> list[str]:
        """The index of the rows."""
        return [label(one) for one in self._frame.index[chosen]]

    def cells(self, column: int, chosen: Any) -> list[str | None]:
        """The rows of a column as text."""
        series = self._frame.iloc[:, column].iloc[chosen]
        gone = series.isna().to_numpy()
        return [None if gone[at] else cell(one) for at, one in enumerate(series.array)]

    def order(self, column: int, down: bool, positions: Any) -> Any:
        """Positions in the order of a column."""
        series = self._part(column, positions)
        by_numpy = type(series.dtype).__module__.startswith("numpy")
        if by_numpy and not (series.dtype.kind == "O" and self._is_text(series)):
            found = sorted_positions(self._numpy, series.to_numpy(), down)
        else:
            plain_one = self._pandas.Series(series.array, copy=False)
            ordered = plain_one.sort_values(ascending=not down, kind="stable", na_position="last")
            found = ordered.index.to_numpy()
        return within(positions, found)

    def where(self, condition: Condition, positions: Any) -> Any:
        """Positions of the rows that fit."""
        at = condition.column or 0
        fit = self._fits(self._part(at, positions), condition, self.names[at])
        return within(positions, self._numpy.flatnonzero(fit))

    def search(self, value: str, positions: Any) -> Any:
        """Positions of the rows where any column has the text, or is the number."""
        fit = None
        for at, kind in enumerate(self.kinds):
            condition = search_condition(at, kind, value)
            if condition is None:
                continue
            one = self._fits(self._part(at, positions), condition, self.names[at])
            fit = one if fit is None else fit | one
        found = self._numpy.flatnonzero(fit) if fit is not None else self._numpy.zeros(0, int)
        return within(positions, found)

    def _part(self, column: int, positions: Any) -> Any:
        series = self._frame.iloc[:, column]
        return series if positions is None else series.iloc[positions]

    def _is_text(self, series: Any) -> bool:
        found = self._pandas.api.types.infer_dtype(series, skipna=True)
        return bool(found in ("string", "empty"))

    def _fits(self, series: Any, condition: Condition, name: str) -> Any:
        _, operator, value = condition
        if value == "" and operator in ("=", "!="):
            gone = series.isna().to_numpy()
            return gone if operator == "=" else ~gone
        dtype = series.dtype
        if is_of(dtype, "pandas", "CategoricalDtype"):
            return self._category_fits(series, condition, name)
        kind = kind_of(dtype)
        if kind == "text" or operator in ("~", "!~"):
            if is_of(dtype, "pandas", "StringDtype") and operator in ("~", "!~"):
                found = series.str.contains(value, case=False, regex=False)
                found = found.fillna(False).to_numpy(dtype=bool)
                return found if operator == "~" else ~found & ~series.isna().to_numpy()
            return text_fits(self._numpy, series.to_numpy(dtype=object), operator, value)
        if type(dtype).__module__.startswith("numpy") and kind != "time":
            return fits(self._numpy, series.to_numpy(), condition, name)
        return self._extension_fits(series, operator, self._needle(series, value, name, kind))

    def _needle(self, series: Any, value: str, name: str, kind: str) -> Any:
        if kind != "time":
            return needle(value, name, kind)
        length = series.dtype.kind == "m"
        try:
            found = (self._pandas.Timedelta if length else self._pandas.Timestamp)(value)
        except ValueError as error:
            raise Refused(f"{name} holds times, and {value!r} is none.") from error
        zone = getattr(series.dtype, "tz", None)
        return found.tz_localize(zone) if zone is not None and found.tzinfo is None else found

    def _extension_fits(self, series: Any, operator: str, other: Any) -> Any:
        """Columns that know missing values of their own."""
        found = COMPARE[operator](series, other)
        if operator == "!=":
            found = found & series.notna()
        return found.fillna(False).to_numpy(dtype=bool)

    def _category_fits(self, series: Any, condition: Condition, name: str) -> Any:
        """Each category once, then all rows by their codes."""
        codes = series.cat.codes.to_numpy()
        categories = self._pandas.Series(series.cat.categories)
        known = self._fits(categories, condition, name)
        # The code of what is missing is -1: it takes the last of them.
        return self._numpy.append(known, False)[codes]


class PolarsTable:
    """A frame or a series of Polars."""

    def __init__(self, value: Any, polars: Any) -> None:
        self._polars = polars
        self.is_frame = is_of(value, "polars", "DataFrame")
        self._frame = value if self.is_frame else value.to_frame(value.name or "values")
        self.rows = self._frame.height
        self.names = [str(name) for name in self._frame.columns]
        dtypes = list(self._frame.dtypes)
        self.types = [str(dtype)[:80] for dtype in dtypes]
        self.kinds = [self._kind(dtype) for dtype in dtypes]

    def _kind(self, dtype: Any) -> str:
        if dtype == self._polars.Boolean:
            return "boolean"
        if dtype.is_numeric():
            return "number"
        return "time" if dtype in (self._polars.Datetime, self._polars.Date) else "text"

    def labels(self, chosen: Any) -> list[str]:
        """The numbers of the rows."""
        if isinstance(chosen, slice):
            return [str(at) for at in range(chosen.start, min(chosen.stop, self.rows))]
        return [str(at) for at in chosen.to_list()]

    def cells(self, column: int, chosen: Any) -> list[str | None]:
        """The rows of a column as text."""
        series = self._frame.to_series(column)
        part = series[chosen] if isinstance(chosen, slice) else series.gather(chosen)
        return [cell(one) for one in part.to_list()]

    def order(self, column: int, down: bool, positions: Any) -> Any:
        """Positions in the order of a column."""
        series = self._part(column, positions)
        try:
            found = series.arg_sort(descending=down, nulls_last=True)
        except Exception as error:
            raise Refused(f"{self.names[column]} cannot be sorted.") from error
        return found if positions is None else positions.gather(found)

    def where(self, condition: Condition, positions: Any) -> Any:
        """Positions of the rows that fit."""
        found = self._fits(condition.column or 0, condition, positions).arg_true()
        return found if positions is None else positions.gather(found)

    def search(self, value: str, positions: Any) -> Any:
        """Positions of the rows where any column has the text, or is the number."""
        fit = None
        for at, kind in enumerate(self.kinds):
            condition = search_condition(at, kind, value)
            if condition is not None:
                one = self._fits(at, condition, positions)
                fit = one if fit is None else fit | one
        if fit is None:
            return self._polars.Series([], dtype=self._polars.UInt32)
        found = fit.arg_true()
        return found if positions is None else positions.gather(found)

    def _part(self, column: int, positions: Any) -> Any:
        series = self._frame.to_series(column)
        return series if positions is None else series.gather(positions)

    def _fits(self, at: int, condition: Condition, positions: Any) -> Any:
        series, kind = self._part(at, positions), self.kinds[at]
        _, operator, value = condition
        if value == "" and operator in ("=", "!="):
            return series.is_null() if operator == "=" else series.is_not_null()
        if kind == "text" or operator in ("~", "!~"):
            return self._text_fits(series, operator, value)
        other = needle(value, self.names[at], kind)
        if series.dtype == self._polars.Datetime and series.dtype.time_zone and not other.tzinfo:
            other = self._polars.Series([other]).dt.replace_time_zone(series.dtype.time_zone)[0]
        if series.dtype == self._polars.Date:
            other = other.date()
        return COMPARE[operator](series, other).fill_null(False)

    def _text_fits(self, series: Any, operator: str, value: str) -> Any:
        try:
            shown = series.cast(self._polars.String)
        except Exception:  # noqa: BLE001 - lists, structs and objects have no text of their own
            shown = self._polars.Series([cell(one) for one in series], dtype=self._polars.String)
        if operator not in ("~", "!~"):
            return COMPARE[operator](shown, value).fill_null(False)
        found = shown.str.to_lowercase().str.contains(value.lower(), literal=True)
        return (found if operator == "~" else ~found).fill_null(False)


def label(value: Any) -> str:
    """A column's name or a row's label; several levels with a slash between them."""
    if type(value) is tuple:
        return " / ".join(plain(one) for one in value)
    return plain(value)


def kind_of(dtype: Any) -> str:
    """What a column of pandas holds, in the words of the page."""
    if is_of(dtype, "pandas", "CategoricalDtype", "StringDtype", "IntervalDtype", "SparseDtype"):
        return "text"
    return KINDS.get(str(getattr(dtype, "kind", "O")), "text")
