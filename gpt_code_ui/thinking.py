"""Takes the thinking out of an answer's text, where a model writes it there between tags.

Only at the very start: further on ``<think>`` is text like any other. Templates that open the
thinking themselves leave only its end in the answer: what was text until then is told to have been
thinking, and ``opened`` expects the same of the next answer. Otherwise what ``feed`` returns is
final, wherever the text was cut into pieces.
"""

import re

from gpt_code_ui.protocol import ReasoningChunk, RetypeChunk, TextChunk

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")
TAGS = {f"<{name}>": f"</{name}>" for name in _NAMES} | {
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|channel|>analysis<|message|>": "<|end|>",
}
# Ends that come without a beginning.
LONE = ("</think>", "</thinking>", "[/THINK]", "◁/think▷")
# What harmony puts before the answer itself.
BEFORE_TEXT = ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>")
_LONE = re.compile("|".join(re.escape(end) for end in LONE))
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)

Prose = TextChunk | ReasoningChunk | RetypeChunk


class ThinkSplitter:
    """The text of one answer in pieces: what is thinking and what is text.

    ``was_open``: whether the answer began inside the thinking; None where it does not tell.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._opened = opened
        self._state = "start"
        self._held = ""
        self._ends: tuple[str, ...] = ()
        self._assumed = False
        self._watches = True
        self._seen: list[str] = []
        self.was_open: bool | None = None

    def feed(self, text: str) -> list[Prose]:
        """What is certain so far."""
        self._held += text
        parts: list[Prose] = []
        while self._held and self._step(parts):
            pass
        return parts

    def flush(self) -> list[Prose]:
        """The rest: what looked like the beginning of a tag and was none."""
        if self._state == "text" and self._watches and self._is_lone(self._held, 0):
            self._held, self._state, self.was_open = "", "gap", True
            return [RetypeChunk(kind="reasoning")]
        rest, self._held = self._held, ""
        if self._state == "thinking" and self._assumed:
            thought: list[Prose] = [ReasoningChunk(text=rest)] if rest else []
            return thought + self._correct()
        if not rest or self._state == "gap":
            return []
        return [ReasoningChunk(text=rest) if self._state == "thinking" else TextChunk(text=rest)]

    def before_call(self) -> list[Prose]:
        """What has to be said before a call: it ends what is written, and a wrong belief."""
        if self._state == "start":
            return []
        return self.flush() if self._state == "thinking" and self._assumed else []

    def _correct(self) -> list[Prose]:
        """The thinking had not been opened after all."""
        self._assumed, self._state, self.was_open = False, "text", False
        return [RetypeChunk(kind="text")]

    def _step(self, parts: list[Prose]) -> bool:
        """Go on one state; False where more text has to come first."""
        match self._state:
            case "start":
                return self._begin()
            case "thinking":
                return self._think(parts)
            case "gap":
                return self._skip_gap()
            case _:
                return self._speak(parts)

    def _begin(self) -> bool:
        seen = self._held.lstrip()
        for tag, end in TAGS.items():
            if seen.startswith(tag):
                self._held, self._ends = seen[len(tag) :].lstrip("\r\n"), (end,)
                self._state, self._watches = "thinking", False
                return True
        for tag in BEFORE_TEXT:
            if seen.startswith(tag):
                self._held, self._state = seen, "gap"
                return True
        if any(tag.startswith(seen) for tag in (*TAGS, *BEFORE_TEXT)):
            return False
        self._assumed = self._opened
        self._ends = LONE
        self._state = "thinking" if self._opened else "text"
        return True

    def _think(self, parts: list[Prose]) -> bool:
        found = [at for end in self._ends if (at := self._held.find(end)) >= 0]
        thought = self._held[: min(found)] if found else self._held
        if found:
            rest = self._held[min(found) :]
            end = next(end for end in self._ends if rest.startswith(end))
            self._held, self._state = rest[len(end) :], "gap"
            self.was_open = True if self._assumed else self.was_open
            self._assumed = self._watches = False
            thought = thought.rstrip()
        else:
            keep = _overlap(thought, self._ends)
            thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        if thought:
            parts.append(ReasoningChunk(text=thought))
        return bool(found)

    def _skip_gap(self) -> bool:
        self._held = self._held.lstrip()
        for tag in BEFORE_TEXT:
            if self._held.startswith(tag):
                self._held, self._state = self._held[len(tag) :], "text"
                return bool(self._held)
            if self._held and tag.startswith(self._held):
                return False
        self._state = "text" if self._held else "gap"
        return bool(self._held)

    def _speak(self, parts: list[Prose]) -> bool:
        """Text; an end that nothing began, on a line's end, says that it was thinking."""
        text = self._held
        if not self._watches:
            parts.append(TextChunk(text=text))
            self._held = ""
            return False
        found = _LONE.search(text)
        if found and not text[found.end() :].strip(" \t\r"):
            self._say(text[: found.start()], parts)
            self._held = text[found.start() :]
            return False
        if found and self._is_lone(text, found.start()):
            self._say(text[: found.start()], parts)
            self._held, self._state, self._watches = text[found.end() :], "gap", False
            self.was_open = True
            parts.append(RetypeChunk(kind="reasoning"))
            return True
        keep = 0 if found else _overlap(text, LONE)
        upto = found.end() if found else len(text) - keep
        self._say(text[:upto], parts)
        self._held = text[upto:]
        return bool(found)

    def _say(self, text: str, parts: list[Prose]) -> None:
        if text:
            self._seen.append(text)
            parts.append(TextChunk(text=text))

    def _is_lone(self, text: str, at: int) -> bool:
        """Whether an end tag stands there for itself, in no code and in no sentence."""
        found = _LONE.match(text, at)
        if found is None or not re.match(r"[ \t]*(?:\r?\n|\Z)", text[found.end() :]):
            return False
        before = "".join(self._seen) + text[:at]
        if any(tag in before for tag in TAGS):
            return False
        line = before.rpartition("\n")[2]
        return line.count("`") % 2 == 0 and len(_FENCE.findall(before)) % 2 == 0


def _overlap(text: str, tags: tuple[str, ...]) -> int:
    """How much of the end of ``text`` may be the beginning of one of ``tags``."""
    sizes = range(min(len(text), max(map(len, tags)) - 1), 0, -1)
    return next((size for size in sizes if any(t.startswith(text[-size:]) for t in tags)), 0)
