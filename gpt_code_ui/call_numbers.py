"""Tells the tool calls of one answer apart, whatever a server does with ``index`` and ``id``.

Servers leave the index out, give every call the index 0, give every piece an id of its own or no
call any id. A call goes on until its arguments are a whole object and another one begins.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from gpt_code_ui.json_stream import SurrogateJoiner
from gpt_code_ui.protocol import ToolCallChunk

JsonObject = dict[str, Any]


@dataclass
class _Known:
    """A call as far as it came. ``is_steady``: a later piece had its id, or none."""

    id: str | None
    name: str
    arguments: str = ""
    is_steady: bool = False
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are an object that has ended."""
        if not self.arguments.rstrip().endswith("}"):
            return False
        try:
            return isinstance(json.loads(self.arguments), dict)
        except (ValueError, RecursionError):
            return False


class CallNumbers:
    """The calls of one answer, numbered in the order in which they begin."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._calls: list[_Known] = []
        self._last: object = None

    def chunk(self, call: JsonObject) -> ToolCallChunk:
        """A piece of a call under our own number for that call."""
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        id = _text(call.get("id")) or _text(function.get("id"))
        name = _text(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            arguments = json.dumps(arguments, ensure_ascii=False)
        text = arguments if isinstance(arguments, str) else ""
        number = self._number(_index(call.get("index")), id, name, text)
        known = self._calls[number]
        text = known.joiner.feed(text)
        known.arguments += text
        extra = call.get("extra_content")
        return ToolCallChunk(
            index=number,
            id=id,
            name=name,
            arguments=text,
            extra=extra if isinstance(extra, dict) and extra else None,
        )

    def _number(self, index: int | None, id: str | None, name: str | None, text: str) -> int:
        key: object = index if index is not None else id or self._last
        # Some servers give every piece an id of its own: without a name it goes on.
        if index is None and not name and id not in self._numbers:
            key = self._last or id
        number = self._numbers.get(key)
        if number is None or (name and self._is_another(self._calls[number], id, name, text)):
            number = self._numbers[key] = len(self._calls)
            self._calls.append(_Known(id, name or ""))
        known = self._calls[number]
        known.is_steady = known.is_steady or (bool(known.arguments) and id in (None, known.id))
        known.id = known.id or id
        known.name = known.name or name or ""
        self._last = key if key is not None else number
        if key is None:
            self._numbers[number] = number
        return number

    def _is_another(self, known: _Known, id: str | None, name: str, text: str) -> bool:
        """Whether a named piece begins a call of its own, under the number of a former one."""
        if id and known.id and id != known.id:
            goes_on = name == known.name and not known.is_steady and not known.is_whole
            return not goes_on or (_begins_object(text) and bool(known.arguments.strip()))
        # Without ids that differ: what is sent twice is one call.
        return known.is_whole and _begins_object(text) and text.strip() != known.arguments.strip()


def _begins_object(text: str) -> bool:
    return text.lstrip().startswith("{")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _index(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
