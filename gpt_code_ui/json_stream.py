"""Reads one string field of a JSON object while the object is still being written.

A model sends the arguments of a call as pieces of JSON text, cut anywhere: inside an escape, inside
a surrogate pair, inside the key. What ``feed`` returns is final: it is never taken back, and never
holds half a character. Broken JSON does not raise; the field just stops growing.
"""

import re
from collections.abc import Callable

_PLAIN = re.compile(r'[^"\\]+')
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_REPLACEMENT = "\ufffd"


class SurrogateJoiner:
    """Joins surrogate pairs that were cut apart; a lone half becomes U+FFFD.

    JSON can name half a character (``\\ud83d``), and no encoder takes one.
    """

    def __init__(self) -> None:
        self._high = ""

    def feed(self, text: str) -> str:
        """The text that is certain so far: a high half at the end waits for the next piece."""
        if not self._high and (text.isascii() or not _SURROGATE.search(text)):
            return text
        text, self._high = self._high + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return whole_characters(text)

    def flush(self) -> str:
        """What waited: a replacement character for a half that stayed alone."""
        waiting, self._high = self._high, ""
        return _REPLACEMENT if waiting else ""


def whole_characters(text: str) -> str:
    """``text`` with surrogate pairs joined and lone halves replaced by U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class StringField:
    """The decoded value of one top-level string field of an object that arrives in pieces.

    A field that comes twice is read once, the first time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._state: Callable[[str, int], int] = self._before_object
        self._depth = 0
        self._key: list[str] = []
        self._in_field = False
        self._escape = ""
        self._joiner = SurrogateJoiner()
        self._out: list[str] = []
        self.started = False
        self.closed = False

    def feed(self, piece: str) -> str:
        """Take the next piece of JSON text; return what it adds to the field's value."""
        self._out = []
        at = 0
        while at < len(piece):
            at = self._state(piece, at)
        return self._joiner.feed("".join(self._out)) + (self._joiner.flush() if self.closed else "")

    def _before_object(self, piece: str, at: int) -> int:
        if piece[at] == "{":
            self._state = self._before_key
        elif not piece[at].isspace():
            self._state = self._ignore
        return at + 1

    def _before_key(self, piece: str, at: int) -> int:
        if piece[at] == '"':
            self._key = []
            self._state = self._in_key
        elif piece[at] != "," and not piece[at].isspace():
            self._state = self._ignore
        return at + 1

    def _in_key(self, piece: str, at: int) -> int:
        return self._string(piece, at, self._key, self._after_key)

    def _after_key(self, piece: str, at: int) -> int:
        if piece[at] == ":":
            self._state = self._before_value
        elif not piece[at].isspace():
            self._state = self._ignore
        return at + 1

    def _before_value(self, piece: str, at: int) -> int:
        if piece[at].isspace():
            return at + 1
        wanted = "".join(self._key) == self._name and not self.closed
        if piece[at] == '"' and wanted:
            self.started = self._in_field = True
            self._state = self._in_value
            return at + 1
        self._state = self._skip
        return at

    def _in_value(self, piece: str, at: int) -> int:
        return self._string(piece, at, self._out, self._after_value)

    def _after_value(self, piece: str, at: int) -> int:
        if piece[at] == ",":
            self._state = self._before_key
        elif not piece[at].isspace():
            self._state = self._ignore
        return at + 1

    def _skip(self, piece: str, at: int) -> int:
        """Another field's value: numbers, nested objects, strings with brackets in them."""
        character = piece[at]
        if character == '"':
            self._state = self._skip_string
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
            if self._depth < 0:
                self._state = self._ignore
        elif character == "," and self._depth == 0:
            self._state = self._before_key
        return at + 1

    def _skip_string(self, piece: str, at: int) -> int:
        return self._string(piece, at, [], self._skip)

    def _ignore(self, piece: str, at: int) -> int:
        return len(piece)

    def _string(
        self, piece: str, at: int, into: list[str], after: Callable[[str, int], int]
    ) -> int:
        """One step inside a string: a run of plain text, a piece of an escape, or the end."""
        if self._escape:
            self._escape += piece[at]
            self._finish_escape(into)
            return at + 1
        run = _PLAIN.match(piece, at)
        if run:
            into.append(run.group())
            return run.end()
        if piece[at] == "\\":
            self._escape = "\\"
        else:
            self.closed = self.closed or self._in_field
            self._in_field = False
            self._state = after
        return at + 1

    def _finish_escape(self, into: list[str]) -> None:
        if self._escape[1] != "u":
            into.append(_ESCAPES.get(self._escape[1], self._escape))
        elif len(self._escape) < 6:
            return
        else:
            try:
                into.append(chr(int.from_bytes(bytes.fromhex(self._escape[2:]))))
            except ValueError:
                into.append(self._escape)
        self._escape = ""
