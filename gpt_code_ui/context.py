"""Keeps a conversation inside the model's window, however long it gets.

``fit`` takes out old pictures, then shortens old tool outputs, then drops old turns with a digest
in their place; the last question's pictures go only when all else has. It never
touches the system prompt, what was told of files, the latest error or the last user message, and
never parts a tool call from its result. Tokens are estimated, for no table of tokens is fetched,
and a ``Gauge`` corrects the estimate by what the endpoint reports.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gpt_code_ui.digest import digest
from gpt_code_ui.plain_text import cut
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from gpt_code_ui.seeing import AGAIN, NO_ROOM, pictures_in, text_of, tokens, without
from gpt_code_ui.told import ATTACHED, FOUND, SINCE

DEFAULT_WINDOW = 32_768
# Where nobody said more: windows of hosted families, as their makers document them. Names of open
# weights are absent on purpose, for the server that runs them decides.
FAMILIES: Sequence[tuple[str, int]] = (
    (r"gpt-5", 400_000),
    (r"gpt-4\.1", 1_047_576),
    (r"gpt-4o|chatgpt-4o|gpt-4-turbo|gpt-4-(1106|0125)", 128_000),
    (r"gpt-4-32k", 32_768),
    (r"gpt-4", 8_192),
    (r"gpt-3\.5|gpt-35", 16_385),
    (r"o1-(mini|preview)", 128_000),
    (r"o[134](-|$)", 200_000),
    (r"claude-", 200_000),
    (r"gemini-(1\.5|2|3)", 1_048_576),
    (r"deepseek-(chat|reasoner)", 65_536),
)
MESSAGE_TOKENS = 6
SHORT_BYTES = (1000, 240)
ANSWER_TOKENS = 4096
# What is told of dropped turns: so many bytes at most, and this part of the room at most.
DIGEST_BYTES, DIGEST_PART = 4000, 8
# An overflow shrinks to this part of what was sent, where the endpoint names no number.
SHRINK = 0.6
LEAST_FACTOR, MOST_FACTOR = 0.4, 4.0
SMALLEST_SAMPLE = 200
SMALLEST_WINDOW = 512

Count = Callable[[str], int]
T = TypeVar("T")


def estimate(text: str) -> int:
    """About how many tokens: four Latin characters each, any other character one of its own."""
    latin = len(text) if text.isascii() else len(text.encode("latin-1", "ignore"))
    return -(-latin // 4) + len(text) - latin


def message_text(message: ChatMessage) -> str:
    """Every text of a message that costs tokens."""
    if isinstance(message, UserMessage):
        return text_of(message)
    if not isinstance(message, AssistantMessage):
        return message.text
    return message.text + "".join(f"{call.name}{call.arguments}" for call in message.tool_calls)


def size_of(
    system: str, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], *, count: Count
) -> int:
    """Tokens of a whole request, by ``count``."""
    fixed = count(system) + sum(count(json.dumps(tool.model_dump())) for tool in tools)
    return fixed + MESSAGE_TOKENS + sum(_size(message, count) for message in messages)


def fit(
    system: str,
    messages: Sequence[ChatMessage],
    tools: Sequence[ToolSpec],
    window: int,
    *,
    count: Count = estimate,
) -> list[ChatMessage]:
    """The messages within ``window`` tokens, or the least that may be sent.

    What is returned is valid for the API if ``messages`` are: calls with their results, and a
    user message first.
    """
    rest = window - size_of(system, (), tools, count=count)
    history = _History(messages, count, max(rest, 0))
    steps: tuple[Callable[[], Iterator[None]], ...] = (
        history.drop_pictures,
        lambda: history.shorten(SHORT_BYTES[0], last_round=False),
        lambda: history.shorten(SHORT_BYTES[1], last_round=False),
        history.drop_turns,
        history.drop_rounds,
        lambda: history.shorten(SHORT_BYTES[0], last_round=True),
        lambda: history.shorten(SHORT_BYTES[1], last_round=True),
        history.drop_last_pictures,
    )
    for step in steps:
        if history.size <= rest:
            break
        for _ in step():
            if history.size <= rest:
                break
    return history.messages()


@dataclass(eq=False)
class _Unit:
    """What stays or goes together: a message, or an answer with the results of its calls."""

    messages: list[ChatMessage]
    size: int
    kept: bool = False
    gone: bool = False

    @property
    def is_user(self) -> bool:
        return isinstance(self.messages[0], UserMessage)


class _History:
    """The units of a history, its size in tokens, and what was taken out of it."""

    def __init__(self, messages: Sequence[ChatMessage], count: Count, room: int) -> None:
        """``room``: how many tokens there are."""
        self._count = count
        self._digest_bytes = min(DIGEST_BYTES, 4 * room // DIGEST_PART)
        self._units = [
            _Unit(group, sum(_size(one, count) for one in group)) for group in _groups(messages)
        ]
        users = [at for at, unit in enumerate(self._units) if unit.is_user]
        self._last_user = users[-1] if users else 0
        self._error = self._latest_error()
        for at in (self._last_user, len(self._units) - 1):
            if self._units:
                self._units[at].kept = True
        if self._error is not None:
            self._error.kept = True
        self._note: UserMessage | None = None
        self.size = sum(unit.size for unit in self._units)

    def messages(self) -> list[ChatMessage]:
        """What is left, behind the note on what is not."""
        left = [one for unit in self._units if not unit.gone for one in unit.messages]
        return left if self._note is None else [self._note, *left]

    def drop_pictures(self) -> Iterator[None]:
        """Put notes in the place of pictures, oldest first; the last question keeps its own."""
        for at, unit in enumerate(self._units):
            if at != self._last_user:
                self._drop_pictures_of(unit, AGAIN)
                yield

    def drop_last_pictures(self) -> Iterator[None]:
        """Put notes in the place of the last question's pictures."""
        if self._units:
            self._drop_pictures_of(self._units[self._last_user], NO_ROOM)
            yield

    def _drop_pictures_of(self, unit: _Unit, reason: str) -> None:
        if unit.gone or not pictures_in(unit.messages):
            return
        before = unit.size
        unit.messages = [
            without(one, reason) if isinstance(one, UserMessage) else one for one in unit.messages
        ]
        unit.size = sum(_size(one, self._count) for one in unit.messages)
        self.size += unit.size - before

    def shorten(self, limit: int, *, last_round: bool) -> Iterator[None]:
        """Cut results to ``limit`` bytes, oldest first; the latest error stays whole."""
        for unit in self._units:
            if unit.gone or unit is self._error or (unit is self._units[-1] and not last_round):
                continue
            before = unit.size
            unit.messages = [
                one.model_copy(update={"text": cut(one.text, limit)})
                if isinstance(one, ToolMessage)
                else one
                for one in unit.messages
            ]
            unit.size = sum(_size(one, self._count) for one in unit.messages)
            self.size += unit.size - before
            yield

    def drop_turns(self) -> Iterator[None]:
        """Take out what lies before the last user message, a whole turn at a time."""
        for at, unit in enumerate(self._units[: self._last_user]):
            self._drop(unit)
            if self._units[at + 1].is_user:
                self._tell()
                yield

    def drop_rounds(self) -> Iterator[None]:
        """Take out rounds of the running turn, oldest first."""
        for unit in self._units[self._last_user :]:
            self._drop(unit)
            self._tell()
            yield

    def _drop(self, unit: _Unit) -> None:
        if not unit.kept and not unit.gone:
            unit.gone = True
            self.size -= unit.size

    def _tell(self) -> None:
        """Write the note anew: what is gone, and what was told of files in it."""
        if self._note is not None:
            self.size -= _size(self._note, self._count)
            self._note = None
        gone = [unit for unit in self._units if unit.gone]
        if not gone:
            return
        asked = sum(unit.is_user for unit in gone)
        rounds = len(gone) - asked
        left_out = [one for unit in gone for one in unit.messages if not _shows_figures(one)]
        lines = digest(left_out, self._digest_bytes)
        about = f" What they were about:\n{lines}\n" if lines else ""
        text = (
            "[This conversation is longer than what you can read. Left out here: "
            f"{asked} earlier messages of the person, {rounds} answers and their results.{about}]"
        )
        told = dict.fromkeys(
            part for unit in gone if unit.is_user for part in _of_files(unit.messages[0].text)
        )
        self._note = UserMessage(text=text + "".join(told))
        self.size += _size(self._note, self._count)

    def _latest_error(self) -> _Unit | None:
        for unit in reversed(self._units):
            if any(isinstance(one, ToolMessage) and one.failed for one in unit.messages):
                return unit
        return None


def _groups(messages: Sequence[ChatMessage]) -> Iterator[list[ChatMessage]]:
    group: list[ChatMessage] = []
    for message in messages:
        of_the_round = isinstance(message, ToolMessage) or _shows_figures(message)
        if not of_the_round and group:
            yield group
            group = []
        group.append(message)
    if group:
        yield group


def _shows_figures(message: ChatMessage) -> bool:
    return isinstance(message, UserMessage) and message.figures


def _size(message: ChatMessage, count: Count) -> int:
    shown = sum(tokens(one) for one in pictures_in([message]))
    return MESSAGE_TOKENS + count(message_text(message)) + shown


def _of_files(text: str) -> Iterator[str]:
    """What a question says of files, from its end."""
    text = text.rpartition(SINCE)[0] or text
    before, found, described = text.rpartition(FOUND)
    _, attached, names = (before if found else text).partition(ATTACHED)
    if attached:
        yield attached + names
    if found:
        yield found + described


# --- the window --------------------------------------------------------------------------------


def told_for(model: str, told: Mapping[str, T]) -> T | None:
    """What a table says of a model: by its whole name, without its provider, or under ``*``."""
    for name in (model, model.partition("/")[2] or model, "*"):
        if name in told:
            return told[name]
    return None


def known_window(model: str) -> int:
    """Tokens that a model of this name reads as far as is known, or a cautious number."""
    name = model.rpartition("/")[2].lower()
    return next((size for family, size in FAMILIES if re.match(family, name)), DEFAULT_WINDOW)


class Gauge:
    """What is known of one model's window and tokens. Every method may be called from any thread.

    ``limit`` gives the window as it is set now; an overflow that the endpoint reports narrows it.
    """

    def __init__(self, limit: Callable[[], int] = lambda: DEFAULT_WINDOW) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._narrowed: int | None = None
        self._factor = 1.0

    @property
    def window(self) -> int:
        """Tokens that a request and its answer may have together."""
        limit = self._limit()
        return limit if self._narrowed is None else min(limit, self._narrowed)

    def count(self, text: str) -> int:
        """Tokens of ``text``, as far as they can be known."""
        return round(estimate(text) * self._factor)

    def fit(
        self, system: str, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]
    ) -> list[ChatMessage]:
        """The messages that leave room for an answer."""
        room = self.window - min(ANSWER_TOKENS, self.window // 4)
        return fit(system, messages, tools, room, count=self.count)

    def learn(self, estimated: int, reported: int) -> None:
        """Correct the factor: a request of ``estimated`` plain tokens was counted as ``reported``.

        It moves half of the way, so that one odd request does not decide.
        """
        if estimated < SMALLEST_SAMPLE or reported <= 0:
            return
        seen = min(max(reported / estimated, LEAST_FACTOR), MOST_FACTOR)
        with self._lock:
            self._factor = (self._factor + seen) / 2

    def overflowed(self, sent: int, allowed: int | None) -> None:
        """A request of ``sent`` tokens was too long; ``allowed`` is what the endpoint named."""
        with self._lock:
            if allowed is not None and 0 < sent < allowed:
                # We believed ourselves within it, so it is our count that is wrong.
                self._factor *= allowed / (sent * SHRINK)
            self._narrowed = max(SMALLEST_WINDOW, allowed or int(sent * SHRINK))
