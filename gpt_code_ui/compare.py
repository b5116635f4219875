"""Whether a cell gave the same again, and if not, where it first differs.

Outputs are compared as a person reads them: printed text by its pieces (see ``noise``), figures
by their pixels, JSON and tables value by value, errors by name and message. Pure but for
``same_figure``, which looks into images elsewhere.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from gpt_code_ui.noise import Noise, Piece, pieces, settled
from gpt_code_ui.protocol import (
    CellPart,
    Difference,
    DifferenceKind,
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    Output,
    StreamOutput,
)

# Takes two images as base64 and their type.
SameFigure = Callable[[str, str, str], bool]
Rich = DisplayDataOutput | ExecuteResultOutput

SHOWN = 200
CONTEXT_PIECES = 12
# Attributes and names that libraries make up anew each time.
VOLATILE = re.compile(
    r"""\s(?:id|for|class|href|xlink:href|clip-path|data-[\w-]+|aria-[\w-]+)=("[^"]*"|'[^']*')"""
)
STYLED = re.compile(r"<style\b.*?</style>|<metadata>.*?</metadata>", re.DOTALL | re.IGNORECASE)
VOLATILE_KEYS = frozenset({"uid", "id", "uuid", "plotlyServerURL"})
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
WIDGET = "application/vnd.jupyter.widget"  # names a model that lives in the kernel
MARKUP = ("text/html", "image/svg+xml")
# Other Jupyters say per text of a figure which font is not installed; our kernels do not.
FONT_WARNING = "findfont: "
# What stands for a figure where text is asked for says nothing about it.
BARE_OBJECT = re.compile(r"^<[^<>]*>$")


@dataclass(frozen=True)
class Found:
    """A difference within one output, before it is known in which cell."""

    kind: DifferenceKind
    expected: str
    found: str
    output: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The rules of one replay."""

    same_figure: SameFigure
    noise: Noise = field(default_factory=Noise.today)

    def cells(self, number: int, expected: CellPart, found: CellPart) -> Difference | None:
        """Where the ``number``-th cell first differs."""
        difference = self._errors(expected, found) or self._outputs(expected, found)
        if difference is None:
            return None
        return Difference(
            kind=difference.kind, cell=number, cell_id=expected.cell_id or None,
            output=difference.output, expected=difference.expected[:SHOWN],
            found=difference.found[:SHOWN],
        )  # fmt: skip

    # --- errors

    def _errors(self, expected: CellPart, found: CellPart) -> Found | None:
        was, now = _error(expected), _error(found)
        if was is None and now is None:
            return None
        if was is None or now is None:
            return Found("exception", _said(was), _said(now), _place(expected, was))
        same = was.ename == now.ename and self._first(was.evalue, now.evalue) is None
        return None if same else Found("exception", _said(was), _said(now), _place(expected, was))

    # --- outputs

    def _outputs(self, expected: CellPart, found: CellPart) -> Found | None:
        cut = bool(expected.truncated or found.truncated)
        return (
            self._stream(expected, found, "stdout", cut)
            or self._shown(expected, found)
            or self._stream(expected, found, "stderr", cut)
        )

    def _stream(self, expected: CellPart, found: CellPart, name: str, cut: bool) -> Found | None:
        was, now = _printed(expected, name), _printed(found, name)
        if name == "stderr":  # threads and progress bars write it in any order
            was, now = _sorted_lines(was), _sorted_lines(now)
        place = _place_of_stream(expected, name)
        if was.strip() and not now.strip():
            return Found("missing_output", _start(was), "", place)
        if now.strip() and not was.strip():
            return Found("extra_output", "", _start(now))
        if cut:  # how much of it is shown depends on how fast it came
            length = min(len(was), len(now)) // 2
            was, now = was[:length].rpartition("\n")[0], now[:length].rpartition("\n")[0]
            now = now if was.count("\n") == now.count("\n") else was
        difference = self._first(was, now)
        return difference and Found(difference.kind, difference.expected, difference.found, place)

    def _shown(self, expected: CellPart, found: CellPart) -> Found | None:
        for (place, was), now in zip_longest(
            _rich(expected), (output for _, output in _rich(found)), fillvalue=(None, None)
        ):
            if not isinstance(was, Rich):
                assert isinstance(now, Rich)
                return Found("extra_output", "", _named(now))
            if not isinstance(now, Rich):
                return Found("missing_output", _named(was), "", place)
            difference = self._bundles(was.data, now.data)
            if difference is not None:
                return Found(difference.kind, difference.expected, difference.found, place)
        return None

    def _bundles(self, was: dict[str, Any], now: dict[str, Any]) -> Found | None:
        for kind in was:
            if kind not in now:
                return Found("missing_output", kind, ", ".join(now))
        return next(filter(None, (self._content(k, was, now) for k in was)), None)

    def _content(self, kind: str, was: dict[str, Any], now: dict[str, Any]) -> Found | None:
        one, other = was[kind], now[kind]
        if one == other:
            return None
        if kind in IMAGES:
            same = self.same_figure(_text(one), _text(other), kind)
            return None if same else Found("figure", f"a figure ({kind})", "another figure")
        if kind.startswith(WIDGET):
            return None
        if kind.endswith("json"):
            return self._values(one, other)
        if kind == "text/plain" and len(was) > 1 and BARE_OBJECT.match(_text(one).strip()):
            return None
        if kind in MARKUP:
            difference = self._first(_markup(_text(one)), _markup(_text(other)))
            if difference and kind == "image/svg+xml":
                return Found("figure", difference.expected, difference.found)
            return difference
        return self._first(_text(one), _text(other))

    def _values(self, was: Any, now: Any) -> Found | None:
        """JSON, by value: numbers with tolerance, made-up names left out."""
        if isinstance(was, dict) and isinstance(now, dict):
            for key in was.keys() | now.keys():
                if key in VOLATILE_KEYS:
                    continue
                if key not in was or key not in now:
                    return Found("text", f"{key}: {was.get(key)}", f"{key}: {now.get(key)}")
                if difference := self._values(was[key], now[key]):
                    return difference
            return None
        if isinstance(was, list) and isinstance(now, list):
            if len(was) != len(now):
                return Found("text", f"{len(was)} values", f"{len(now)} values")
            pairs = zip(was, now, strict=True)
            return next(filter(None, (self._values(a, b) for a, b in pairs)), None)
        return self._first(str(was), str(now))

    def _first(self, was: str, now: str) -> Found | None:
        """Where two texts first differ."""
        if was == now:
            return None
        left, right = list(pieces(settled(was))), list(pieces(settled(now)))
        for index, (one, other) in enumerate(zip_longest(left, right)):
            if one is not None and other is not None and self.noise.same(one, other):
                continue
            numbers = one and other and one.kind == other.kind == "number"
            shown = _around(left, index), _around(right, index)
            return Found("number" if numbers else "text", *shown)
        return None


def _error(cell: CellPart) -> ErrorOutput | None:
    return next((o.output for o in cell.outputs if isinstance(o.output, ErrorOutput)), None)


def _said(error: ErrorOutput | None) -> str:
    return f"{error.ename}: {error.evalue}" if error else "no exception"


def _place(cell: CellPart, output: Output | None) -> int | None:
    return next((n for n, o in enumerate(cell.outputs) if o.output is output), None)


def _place_of_stream(cell: CellPart, name: str) -> int | None:
    outputs = (o.output for o in cell.outputs)
    places = (n for n, o in enumerate(outputs) if isinstance(o, StreamOutput) and o.name == name)
    return next(places, None)


def _printed(cell: CellPart, name: str) -> str:
    texts = (o.output for o in cell.outputs)
    return "".join(o.text for o in texts if isinstance(o, StreamOutput) and o.name == name)


def _sorted_lines(text: str) -> str:
    lines = (line for line in settled(text).split("\n") if not line.startswith(FONT_WARNING))
    return "\n".join(sorted(filter(str.strip, lines)))


def _rich(cell: CellPart) -> Iterable[tuple[int, Rich]]:
    return [(n, o.output) for n, o in enumerate(cell.outputs) if isinstance(o.output, Rich)]


def _named(output: Rich) -> str:
    plain = _text(output.data.get("text/plain", "")).strip()
    return _start(plain) or ", ".join(output.data)


def _start(text: str) -> str:
    return settled(text).strip()[:SHOWN]


def _text(content: object) -> str:
    return "".join(map(str, content)) if isinstance(content, list) else str(content)


def _markup(text: str) -> str:
    return VOLATILE.sub("", STYLED.sub("", text))


def _around(all_pieces: Sequence[Piece], index: int) -> str:
    """What stands before a place, and the piece there."""
    start = max(0, index - CONTEXT_PIECES)
    shown = " ".join(piece.text for piece in all_pieces[start : index + 1])
    return shown if index < len(all_pieces) else f"{shown} (end)".strip()
