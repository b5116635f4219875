"""Text as pieces of which some may differ between two runs that do the same: addresses, times,
temporary paths, random ids. Numbers are numbers, and may differ by a rounding.

Pure; the present comes in, for only the clock writes today's date.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

Kind = Literal["uuid", "address", "date", "time", "duration", "path", "bar", "number", "text"]

RELATIVE = 1e-6
ABSOLUTE = 1e-12
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# The first that fits at a place decides.
PIECES = re.compile(
    r"""
    (?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)
  | (?P<address>\b0x[0-9a-fA-F]{6,16}\b)
  | (?P<path>(?<![\w.])(?:/[\w.+@-]+){2,}/?)
  | (?P<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b
    | \bdatetime\.date(?:time)?\(\d{4},\ \d{1,2},\ \d{1,2}(?:,\ \d{1,6}){0,4}(?=[,)])
    | \b[MTWFS][a-z]{2}\ [JFMASOND][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d\ (?:[A-Z]{3,4}\ )?\d{4}\b
    | \b[MTWFS][a-z]{2},\ \d{1,2}\ [JFMASOND][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d\b)
  | (?P<time>\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\b)
  | (?P<duration>\b\d+(?:[.,]\d+)?\s?(?:ns|µs|μs|us|ms|s|sec|secs|seconds?|min|minutes?)\b)
  | (?P<bar>\d+(?:\.\d+)?(?:it/s|s/it|B/s|kB/s|MB/s))
  | (?P<number>(?<![\w.])[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w]))
  | (?P<text>[^\W\d_]\w*|\w+|[^\w\s])
    """,
    re.VERBOSE,
)
TEMPORARY = re.compile(r"^(/tmp|/var/folders|/private/var|/var/tmp|/dev/shm|/run)(/|$)")
MAX_EPOCH_AGE_S = 2 * 86400
# Where the days of a written date stand: ISO, Python's own form, the C library's, a mail header's.
ISO_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)")
PYTHON_DAY = re.compile(r"datetime.*?\((?P<year>\d+), (?P<month>\d+), (?P<day>\d+)")
C_DAY = re.compile(r"\w{3} (?P<month>\w{3}) (?P<day>[ \d]\d) .* (?P<year>\d{4})$")
MAIL_DAY = re.compile(r"\w{3}, (?P<day>\d+) (?P<month>\w{3}) (?P<year>\d{4})")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Where 64-bit systems put what a process maps: an ``id()`` printed as a number lies there.
MAPPED = (0x7E00_0000_0000, 0x8000_0000_0000)
ANY = ("uuid", "address", "time", "duration", "bar")


@dataclass(frozen=True)
class Piece:
    """A piece of a text and what it is taken for."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Noise:
    """What may differ, as of ``now``."""

    now: datetime

    @classmethod
    def today(cls) -> "Noise":
        """As of this moment."""
        return cls(datetime.now(UTC))

    def same(self, expected: Piece, found: Piece) -> bool:
        """Whether two pieces say the same."""
        if expected.text == found.text:
            return True
        if expected.kind != found.kind:
            return False
        match expected.kind:
            case "number":
                return self._same_number(expected.text, found.text)
            case "date":
                return self._is_now(found.text) and len(expected.text) >= 10
            case "path":
                return _same_path(expected.text, found.text)
            case _:
                return expected.kind in ANY

    def _same_number(self, expected: str, found: str) -> bool:
        try:
            one, other = float(expected.replace("_", "")), float(found.replace("_", ""))
        except ValueError:
            return False
        if math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            return True
        if expected.isdecimal() and found.isdecimal() and all(
            MAPPED[0] <= number < MAPPED[1] for number in (one, other)
        ):  # fmt: skip
            return True
        seconds = self.now.timestamp()
        return any(
            abs(other - seconds * scale) <= MAX_EPOCH_AGE_S * scale and one > 1e9 * scale / 2
            for scale in (1, 1000, 1_000_000, 1_000_000_000)
        )

    def _is_now(self, text: str) -> bool:
        """Whether a date is that of today, wherever on earth."""
        day = _day(text)
        if day is None:
            return False
        return abs(day - self.now.date()) <= timedelta(days=1)


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a text; space between them does not count."""
    for found in PIECES.finditer(text):
        kind = found.lastgroup
        assert kind is not None
        yield Piece(kind, found[0])  # type: ignore[arg-type]


def settled(text: str) -> str:
    """A text as it looks when all of it has been written: no colours, no overwritten lines."""
    plain = ANSI.sub("", text.replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))


def _day(text: str) -> date | None:
    """The day of a date, however it is written."""
    forms = (ISO_DAY, PYTHON_DAY, C_DAY, MAIL_DAY)
    found = next(filter(None, (form.match(text) for form in forms)), None)
    if found is None:
        return None
    month = found["month"]
    try:
        number = MONTHS.index(month) + 1 if month.isalpha() else int(month)
        return date(int(found["year"]), number, int(found["day"]))
    except ValueError:
        return None


def _same_path(expected: str, found: str) -> bool:
    """Places for a while, and the folders above a file of one name, differ from run to run."""
    if TEMPORARY.match(expected) and TEMPORARY.match(found):
        return True
    return expected.rstrip("/").rpartition("/")[2] == found.rstrip("/").rpartition("/")[2]
