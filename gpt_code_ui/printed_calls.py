"""Finds tool calls that a model wrote into its text, because its server did not read them there.

The forms are those that chat templates teach: Hermes and Qwen, Qwen-Coder, GLM, Llama, Mistral,
DeepSeek, Kimi, MiniMax, harmony, and an object that is the whole answer. A call is one only if it
is whole and names a tool that was offered; anything else stays the text that it was. From the first
mark on the text waits for the end of the answer.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpt_code_ui.protocol import FinishChunk, ModelChunk, RetypeChunk, TextChunk, ToolCallChunk

Call = tuple[str, str]

_MARKS = (
    "<tool_call", "<function=", "<function_call", "<|python_tag|>", "[TOOL_CALLS]",
    "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜DSML｜", "<|tool_calls_section_begin|>",
    "<|tool_call_begin|>", "<minimax:tool_call>", "<|channel|>commentary to=",
    "<|start|>assistant<|channel|>", "<invoke name=", "<function_calls>", "<|tool_call|>",
)  # fmt: skip
_MARK = re.compile("|".join(re.escape(mark) for mark in _MARKS))
_FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
_ALONE = re.compile(r"\A\s*(?:```(?:json)?\s*)?[\[{]\s*(?:\{\s*)?\"(?:name|function|tool|type)\"")
_ALONE_BEGINS = re.compile(r"\A\s*(?:`{0,3}\Z|```[a-z]*\s*\Z|(?:```(?:json)?\s*)?[\[{])")
_AROUND = re.compile(r"\A\s*```(?:json)?\s*|\s*```\s*\Z")
# Names of a call's parts.
_NAMES = ("name", "tool", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_DECODER = json.JSONDecoder(strict=False)

_TAGGED = re.compile(
    r"<(tool_calls?|function_calls?|minimax:tool_call|\|tool_call\|)>(.*?)"
    r"(?:</\1>|<\|/tool_call\|>|\Z)",
    re.DOTALL,
)
_FUNCTION = re.compile(r"<function=([\w.:-]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w-]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_INVOKE = re.compile(
    r"<(｜DSML｜)?invoke name=\"([\w.:-]+)\">(.*?)</(?:｜DSML｜)?invoke>", re.DOTALL
)
_INVOKED = re.compile(
    r"<(?:｜DSML｜)?parameter name=\"([\w-]+)\"[^>]*>(.*?)</(?:｜DSML｜)?parameter>", re.DOTALL
)
_GLM = re.compile(r"\A\s*([\w.-]+)\s*((?:<arg_key>.*</arg_value>\s*)+)\Z", re.DOTALL)
_GLM_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>\n?(.*?)\n?</arg_value>", re.DOTALL)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(?:([\w.-]+)\s*(?:\[CALL_ID\][\w-]*)?\s*(?:\[ARGS\])?)?")
_DEEPSEEK = re.compile(
    r"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)\s*(?:<｜tool▁sep｜>)?\s*(.*?)"
    r"<｜tool▁call▁end｜>",
    re.DOTALL,
)
_KIMI = re.compile(
    r"<\|tool_call_begin\|>\s*([\w.-]+?)(?::\d+)?\s*<\|tool_call_argument_begin\|>(.*?)"
    r"<\|tool_call_end\|>",
    re.DOTALL,
)
_HARMONY = re.compile(
    r"<\|channel\|>commentary to=(?:functions\.)?([\w.-]+).*?<\|message\|>(.*?)(?:<\|call\|>|\Z)",
    re.DOTALL,
)
_PYTHON_TAG = re.compile(r"<\|python_tag\|>(.*?)(?:<\|eom_id\|>|<\|eot_id\|>|\Z)", re.DOTALL)


class PrintedCalls:
    """The text of one answer. ``is_tool`` tells whether a name means a tool that was offered."""

    def __init__(self, is_tool: Callable[[str], bool]) -> None:
        self._is_tool = is_tool
        self._before = ""
        self._held = ""
        self._found = False
        self._has_calls = False

    def take(self, batch: Sequence[ModelChunk]) -> list[ModelChunk]:
        """The chunks that are certain so far."""
        out: list[ModelChunk] = []
        for chunk in batch:
            if isinstance(chunk, TextChunk):
                if text := self._text(chunk.text):
                    out.append(TextChunk(text=text))
                continue
            if isinstance(chunk, ToolCallChunk):
                self._has_calls = True
            elif isinstance(chunk, FinishChunk):
                chunk = self._finish(chunk, out)
            elif isinstance(chunk, RetypeChunk):
                out += self.rest()  # what was thinking holds no call
                self._found, self._before = False, ""
            out.append(chunk)
        return out

    def rest(self) -> list[ModelChunk]:
        """What waited in an answer that did not end well: text, and no call."""
        held, self._held = self._held, ""
        return [TextChunk(text=held)] if held else []

    def _text(self, text: str) -> str:
        """What of the text is no part of a call for certain."""
        self._held += text
        if self._found:
            return ""
        if not self._before.strip() and _ALONE_BEGINS.match(self._held):
            # An object at the very start; text like any other as soon as it cannot be a call.
            self._found = bool(_ALONE.match(self._held))
            if self._found or len(self._held) < 60:
                return ""
        mark = _MARK.search(self._held)
        keep = len(self._held) - mark.start() if mark else _may_begin(self._held)
        certain = self._held[: len(self._held) - keep]
        self._found = mark is not None and not _in_fence(self._before + certain)
        if mark is not None and not self._found:
            certain += mark.group()
        self._held = self._held[len(certain) :]
        self._before += certain
        return certain

    def _finish(self, finish: FinishChunk, out: list[ModelChunk]) -> FinishChunk:
        held, self._held = self._held, ""
        ended_well = finish.reason in ("stop", "tool_calls")
        calls = [] if self._has_calls or not ended_well else self._calls(held)
        if not calls:
            out += [TextChunk(text=held)] if held else []
            return finish
        out += [
            ToolCallChunk(index=at, name=name, arguments=arguments, printed=True)
            for at, (name, arguments) in enumerate(calls)
        ]
        return FinishChunk(reason="tool_calls")

    def _calls(self, held: str) -> list[Call]:
        """All calls in the text; none unless every one of them names a tool."""
        for way in (_in_tags, _of_mistral, _of_others, _of_llama, _alone):
            found = list(way(held))
            if found:
                return found if all(self._is_tool(name) for name, _ in found) else []
        return []


def _may_begin(text: str) -> int:
    """How much of the end of ``text`` may be the beginning of a mark."""
    longest = max(map(len, _MARKS)) - 1
    for size in range(min(len(text), longest), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in _MARKS):
            return size
    return 0


def _in_fence(text: str) -> bool:
    return len(_FENCE_LINE.findall(text)) % 2 == 1


def _in_tags(text: str) -> Iterator[Call]:
    """Hermes, Qwen, GLM, MiniMax: a tag around an object, a function or named arguments."""
    for found in _TAGGED.finditer(text):
        inner = found.group(2)
        if glm := _GLM.match(inner):
            pairs = _GLM_PAIR.findall(glm.group(2))
            yield glm.group(1), _as_json({key.strip(): value for key, value in pairs})
        elif "<function=" not in inner and "invoke name=" not in inner:
            yield from _objects(inner)
    for name, inner in _FUNCTION.findall(text):
        pairs = _PARAMETER.findall(inner)
        if pairs:
            yield name, _as_json(dict(pairs))
        elif inner.strip().startswith("{"):
            yield name, inner.strip()
    for _, name, inner in _INVOKE.findall(text):
        yield name, _as_json(dict(_INVOKED.findall(inner)))


def _of_mistral(text: str) -> Iterator[Call]:
    for found in _MISTRAL.finditer(text):
        rest = text[found.end() :]
        if not found.group(1):
            yield from _objects(rest)
        elif (arguments := _first_object(rest)) is not None:
            yield found.group(1), arguments


def _of_others(text: str) -> Iterator[Call]:
    """DeepSeek, Kimi, harmony: a name and its arguments between special tokens."""
    for pattern in (_DEEPSEEK, _KIMI, _HARMONY):
        for name, inner in pattern.findall(text):
            arguments = _first_object(_AROUND.sub("", inner))
            if arguments is not None:
                yield name.removeprefix("functions."), arguments


def _of_llama(text: str) -> Iterator[Call]:
    """After its tag Llama writes an object, or bare code."""
    for inner in _PYTHON_TAG.findall(text):
        objects = list(_objects(inner))
        if objects:
            yield from objects
        elif inner.strip() and inner.lstrip()[0] not in "{[":
            yield "python", _as_json({"code": inner.strip()})


def _alone(text: str) -> Iterator[Call]:
    """An object, or a list of some, that is the whole answer."""
    bare = _AROUND.sub("", text).strip()
    if bare.startswith(("{", "[")):
        calls = list(_objects(bare))
        yield from calls if _ends_with_it(bare) else []


def _ends_with_it(text: str) -> bool:
    return all(end == len(text.rstrip()) for end in [_values(text)[1]])


def _values(text: str) -> tuple[list[Any], int]:
    """The JSON values one after the other that ``text`` begins with, and where they end."""
    values: list[Any] = []
    at = 0
    while start := re.compile(r"[\s;,]*(?=[\[{])").match(text, at):
        try:
            value, at = _DECODER.raw_decode(text, start.end())
        except (ValueError, RecursionError):
            break
        values.append(value)
    return values, at


def _objects(text: str) -> Iterator[Call]:
    for value in _values(text)[0]:
        for one in value if isinstance(value, list) else [value]:
            if (call := _call(one)) is not None:
                yield call


def _call(value: object) -> Call | None:
    """A name and arguments, under the keys that models write."""
    if not isinstance(value, dict):
        return None
    inner = value.get("function")
    if isinstance(inner, dict):
        return _call(inner)
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    key = next((key for key in _ARGUMENTS if key in value), None)
    if name is None or key is None or not isinstance(value[key], dict | str):
        return None
    return name, value[key] if isinstance(value[key], str) else _as_json(value[key])


def _first_object(text: str) -> str | None:
    values = _values(text)[0]
    return _as_json(values[0]) if values and isinstance(values[0], dict) else None


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
