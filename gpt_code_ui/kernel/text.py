"""Text that fits: cleaned of what no encoder takes, collapsed, cut on code points, its end kept."""

from collections import deque
from typing import Any, Literal

TAIL_BYTES = 64 * 1024

StreamName = Literal["stdout", "stderr"]


def clean(text: str) -> str:
    """Text that every encoder takes: a lone surrogate becomes U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_values(value: Any) -> Any:
    """The same for all text inside a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): clean_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_values(item) for item in value]
    return value


def cut_head(text: str, size: int) -> str:
    """The longest start of ``text`` of at most ``size`` bytes, whole code points."""
    return text[:size].encode()[:size].decode("utf-8", "ignore")


def cut_tail(text: str, size: int) -> str:
    """The longest end of ``text`` of at most ``size`` bytes, whole code points."""
    if size <= 0:
        return ""
    return text[-size:].encode()[-size:].decode("utf-8", "ignore")


def shorten(text: str, size: int) -> str:
    """``text``, or its head and tail of ``size`` bytes in all with what is missing said."""
    total = len(text.encode())
    if total <= size:
        return text
    tail = min(size // 4, TAIL_BYTES)
    head = cut_head(text, size - tail)
    return f"{head}\n… {total - size:,} bytes left out …\n{cut_tail(text, tail)}"


def collapse_returns(text: str) -> str:
    """Drop what a carriage return overwrites: a progress bar's steps become its last state."""
    if "\r" not in text:
        return text
    return "\n".join(_collapse_line(line) for line in text.split("\n"))


def _collapse_line(line: str) -> str:
    first, *steps = line.split("\r")
    kept: list[str] = []
    longest = -1
    for step in reversed(steps):
        if len(step) > longest:
            kept.append(step)
            longest = len(step)
    return "\r".join([first, *reversed(kept)])


class Tail:
    """The last ``TAIL_BYTES`` of text that is held back, and how much it was in all."""

    def __init__(self) -> None:
        self.name: StreamName = "stdout"
        self.size = 0
        self.lines = 0
        self._kept: deque[tuple[StreamName, str, int]] = deque()
        self._kept_bytes = 0

    def add(self, name: StreamName, text: str) -> None:
        size = len(text.encode())
        self.name = name
        self.size += size
        self.lines += text.count("\n")
        if size > TAIL_BYTES:
            text = cut_tail(text, TAIL_BYTES)
            size = len(text.encode())
        self._kept.append((name, text, size))
        self._kept_bytes += size
        while self._kept_bytes - self._kept[0][2] >= TAIL_BYTES:
            self._kept_bytes -= self._kept.popleft()[2]

    def pieces(self) -> list[tuple[StreamName, str]]:
        """The tail, consecutive text of one name together."""
        found: list[tuple[StreamName, list[str]]] = []
        excess = max(0, self._kept_bytes - TAIL_BYTES)
        for name, text, size in self._kept:
            if excess:
                text, excess = cut_tail(text, size - excess), 0
            if found and found[-1][0] == name:
                found[-1][1].append(text)
            else:
                found.append((name, [text]))
        return [(name, "".join(texts)) for name, texts in found if any(texts)]

    def left_out(self) -> tuple[int, int]:
        """Bytes and lines that ``pieces`` does not hold."""
        pieces = self.pieces()
        kept = sum(len(text.encode()) for _, text in pieces)
        return self.size - kept, self.lines - sum(text.count("\n") for _, text in pieces)
