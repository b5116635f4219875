"""Terminal colours as HTML: text with SGR escapes in, spans with classes out, all else escaped."""

import re
from collections.abc import Iterator
from html import escape

from gpt_code_ui.notebook.parts import ESCAPES

SGR = re.compile(r"\x1b\[([0-9;:]*)m")
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


class _Look:
    """What the escapes so far have switched on."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.bold = self.underline = self.italic = False
        self.colour = self.ground = ""

    def apply(self, codes: list[int]) -> None:
        rest = iter(codes)
        for code in rest:
            match code:
                case 0:
                    self._reset()
                case 1:
                    self.bold = True
                case 3:
                    self.italic = True
                case 4:
                    self.underline = True
                case 22:
                    self.bold = False
                case 23:
                    self.italic = False
                case 24:
                    self.underline = False
                case 38 | 48:
                    self._extended(code, next(rest, 0), rest)
                case _:
                    self._basic(code)

    def _basic(self, code: int) -> None:
        if code in (39, 49):
            self._set(code, "")
        elif 30 <= code % 60 <= 37 and code < 98:
            self.colour = NAMES[code % 10]
        elif 40 <= code % 60 <= 47 and code < 108:
            self.ground = NAMES[code % 10]

    def _extended(self, code: int, kind: int, rest: Iterator[int]) -> None:
        """One of 256 or 16 million colours, as the nearest of the eight."""
        numbers = [next(rest, 0) for _ in range(1 if kind == 5 else 3)]
        if kind == 5 and numbers[0] < 16:
            self._set(code, NAMES[numbers[0] % 8])
            return
        red, green, blue = _rgb(numbers[0]) if kind == 5 else numbers
        bits = (red > 110) | (green > 110) << 1 | (blue > 110) << 2
        self._set(code, NAMES[bits])

    def _set(self, code: int, name: str) -> None:
        if code < 40:
            self.colour = name
        else:
            self.ground = name

    @property
    def classes(self) -> str:
        names = ["b"] if self.bold else []
        names += ["i"] if self.italic else []
        names += ["u"] if self.underline else []
        names += [f"c-{self.colour}"] if self.colour else []
        names += [f"g-{self.ground}"] if self.ground else []
        return " ".join(names)


def _rgb(number: int) -> tuple[int, int, int]:
    if number >= 232:
        grey = 8 + (number - 232) * 10
        return grey, grey, grey
    steps = (0, 95, 135, 175, 215, 255)
    at = number - 16
    return steps[at // 36 % 6], steps[at // 6 % 6], steps[at % 6]


def ansi_html(text: str) -> str:
    """Text as it would stand in a terminal, inside a ``pre``."""
    look, pieces, at = _Look(), [], 0
    for found in SGR.finditer(text):
        pieces.append(_span(text[at : found.start()], look.classes))
        codes = re.split("[;:]", found[1])
        look.apply([int(code or 0) for code in codes])
        at = found.end()
    pieces.append(_span(text[at:], look.classes))
    return "".join(pieces)


def _span(text: str, classes: str) -> str:
    shown = escape(ESCAPES.sub("", text))
    return f'<span class="{classes}">{shown}</span>' if classes and shown else shown
