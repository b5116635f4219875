"""Takes the thinking out of an answer's text, where a model writes it there between tags.

Only at the very start: further on ``<think>`` is text like any other. What ``feed`` returns is
final, wherever the text was cut into pieces.
"""

from gpt_code_ui.protocol import ReasoningChunk, TextChunk

TAGS = {f"<{name}>": f"</{name}>" for name in ("think", "thinking", "thought", "reasoning")}

Prose = TextChunk | ReasoningChunk


class ThinkSplitter:
    """The text of one answer in pieces: what is thinking and what is text."""

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""
        self._end = ""

    def feed(self, text: str) -> list[Prose]:
        """What is certain so far."""
        if self._state == "text":
            return [TextChunk(text=text)] if text else []
        self._held += text
        parts: list[Prose] = []
        while self._held and self._step(parts):
            pass
        return parts

    def flush(self) -> list[Prose]:
        """The rest: what looked like the beginning of a tag and was none."""
        rest, self._held = self._held, ""
        if not rest or self._state == "gap":
            return []
        return [ReasoningChunk(text=rest) if self._state == "thinking" else TextChunk(text=rest)]

    def _step(self, parts: list[Prose]) -> bool:
        """Go on one state; False where more text has to come first."""
        match self._state:
            case "start":
                return self._begin()
            case "thinking":
                return self._think(parts)
            case "gap":
                self._held = self._held.lstrip()
                self._state = "text" if self._held else "gap"
                return bool(self._held)
            case _:
                parts.append(TextChunk(text=self._held))
                self._held = ""
                return False

    def _begin(self) -> bool:
        seen = self._held.lstrip()
        for tag, end in TAGS.items():
            if seen.startswith(tag):
                self._held, self._end = seen[len(tag) :].lstrip("\r\n"), end
                self._state = "thinking"
                return True
            if tag.startswith(seen):
                return False
        self._state = "text"
        return True

    def _think(self, parts: list[Prose]) -> bool:
        thought, found, rest = self._held.partition(self._end)
        if found:
            self._held, self._state = rest, "gap"
            thought = thought.rstrip()
        else:
            keep = _overlap(thought, self._end)
            thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        if thought:
            parts.append(ReasoningChunk(text=thought))
        return bool(found)


def _overlap(text: str, tag: str) -> int:
    """How much of the end of ``text`` may be the beginning of ``tag``."""
    sizes = range(min(len(text), len(tag) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(tag[:size])), 0)
