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
  | (?P<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b)
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
        seconds = self.now.timestamp()
        return any(
            abs(other - seconds * scale) <= MAX_EPOCH_AGE_S * scale and one > 1e9 * scale / 2
            for scale in (1, 1000, 1_000_000, 1_000_000_000)
        )

    def _is_now(self, text: str) -> bool:
        """Whether a date is that of today, wherever on earth."""
        try:
            day = date.fromisoformat(text[:10])
        except ValueError:
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


def _same_path(expected: str, found: str) -> bool:
    """Places for a while, and the folders above a file of one name, differ from run to run."""
    if TEMPORARY.match(expected) and TEMPORARY.match(found):
        return True
    return expected.rstrip("/").rpartition("/")[2] == found.rstrip("/").rpartition("/")[2]
