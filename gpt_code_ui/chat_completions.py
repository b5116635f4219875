"""The Chat Completions wire: our values into a request body, a response's bytes into our values.

Written for what servers really send: null choices, content in lists, calls without an index, a
plain JSON answer to a streamed request. What is no answer raises NotAnAnswer; an answer that ends
without a finish reason raises AnswerCut.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gpt_code_ui.call_numbers import CallNumbers
from gpt_code_ui.errors import AnswerCut, AnswerTooLong, ModelError, NotAnAnswer
from gpt_code_ui.event_lines import EventLines
from gpt_code_ui.json_stream import SurrogateJoiner
from gpt_code_ui.model_errors import from_report, quote, read_body
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    ReasoningChunk,
    ToolMessage,
    ToolSpec,
    UsageChunk,
    UserMessage,
)
from gpt_code_ui.roles import bridged, in_turn
from gpt_code_ui.seeing import is_shown, line, notes
from gpt_code_ui.thinking import ThinkSplitter

JsonObject = dict[str, Any]
Reason = Literal["stop", "tool_calls", "length", "content_filter"]

MAX_ANSWER_BYTES = 64 * 1024 * 1024
CUT_HINT = "Ask again. Code that was cut was not run."
# Tokens read and written, by OpenAI's names and by those of its newer interface.
READ, WRITTEN = ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")
MOST_TOKENS = 1 << 40
CHECK_URL = "Check the base URL; it usually ends in /v1."
# What servers give as the reason for an end; any other is a good one.
REASONS: Sequence[tuple[re.Pattern[str], Reason]] = (
    (re.compile(r"^(tool_calls?|tool_use|function_call)$", re.IGNORECASE), "tool_calls"),
    (re.compile(r"length|max_.*tokens|context|truncat", re.IGNORECASE), "length"),
    (
        re.compile(r"filter|safety|sensitive|prohibited|blocklist|recitation|spii", re.IGNORECASE),
        "content_filter",
    ),
)
BROKEN_OFF = re.compile(
    r"error|abort|cancel|malformed|insufficient_system_resource|incomplete", re.IGNORECASE
)


def request_body(
    request: ModelRequest,
    *,
    with_usage: bool,
    streamed: bool = True,
    with_system: bool = True,
    with_reasoning: bool = False,
    with_details: bool = True,
    with_bridges: bool = False,
    options: Mapping[str, int | float] | None = None,
) -> JsonObject:
    """The body of a request. ``with_usage`` asks a stream for token counts, ``with_reasoning``
    sends a model what it thought before, ``with_details`` what its endpoint made of that; without
    ``with_system`` the system prompt begins the first message of the user; ``with_bridges`` puts
    words between a result and the user."""
    system, messages = _opening(request, with_system)
    messages = in_turn(messages)
    if with_bridges:
        messages = bridged(messages)
    body: JsonObject = {
        "model": request.model,
        "messages": [
            *system,
            *(_message(one, with_reasoning, with_details) for one in messages),
        ],
        "stream": streamed,
        **(options or {}),
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if with_usage and streamed:
        body["stream_options"] = {"include_usage": True}
    return body


def _opening(
    request: ModelRequest, with_system: bool
) -> tuple[list[JsonObject], Sequence[ChatMessage]]:
    if with_system:
        return [{"role": "system", "content": request.system}], request.messages
    return [], [UserMessage(text=request.system), *request.messages]


def _message(message: ChatMessage, with_reasoning: bool, with_details: bool) -> JsonObject:
    match message:
        case UserMessage():
            return {"role": "user", "content": _user_content(message)}
        case ToolMessage():
            return {
                "role": "tool",
                "tool_call_id": message.tool_call_id,
                "content": message.text,
            }
        case AssistantMessage():
            sent = _assistant(message)
            if with_reasoning:
                sent["reasoning_content"] = message.reasoning
            if with_details and message.details:
                sent["reasoning_details"] = message.details
            return sent


def _user_content(message: UserMessage) -> str | list[JsonObject]:
    """Plain text, as every server takes it, unless there is a picture to show."""
    shown = [one for one in message.pictures if is_shown(one)]
    text = notes(message)
    if not shown:
        return text
    parts: list[JsonObject] = [{"type": "text", "text": text}] if text else []
    for one in shown:
        url = f"data:{one.media_type};base64,{one.data}"
        parts.append({"type": "text", "text": line(one)})
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts


def _assistant(message: AssistantMessage) -> JsonObject:
    if not message.tool_calls:
        return {"role": "assistant", "content": message.text}
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
            **({"extra_content": call.extra} if call.extra else {}),
        }
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.text or None, "tool_calls": calls}


def _tool(tool: ToolSpec) -> JsonObject:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


class AnswerReader:
    """One response: bytes in, chunks out. ``secrets`` are kept out of what it raises."""

    def __init__(
        self,
        secrets: Sequence[str] = (),
        max_bytes: int = MAX_ANSWER_BYTES,
        *,
        opened: bool = False,
    ) -> None:
        """``opened``: the template of this model opens the thinking."""
        self._secrets = secrets
        self._bytes_left = max_bytes
        self._lines = EventLines()
        self._document: list[bytes] | None = None
        self._begun = False
        self.spoke = False
        self._usage: UsageChunk | None = None
        self._complaint: JsonObject | None = None
        self._calls = CallNumbers()
        self._has_deltas = False
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._thinking = ThinkSplitter(opened=opened)
        self.finished = False
        self.done = False

    @property
    def began_thinking(self) -> bool | None:
        """Whether the text began inside the model's thinking; None where it does not tell."""
        return self._thinking.was_open

    @property
    def is_stream(self) -> bool:
        """Whether the answer came in pieces, not as one JSON document."""
        return self._begun and self._document is None

    def feed(self, data: bytes) -> list[ModelChunk]:
        """The chunks in the next piece. Raises ModelError and its kin."""
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise AnswerTooLong("The answer is longer than 64 MB.", hint="Ask for less.")
        if not self._begun:
            data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
            if not data:
                return []
            self._begin(data)
        if self._document is not None:
            self._document.append(data)
            return []
        return self._chunks(self._lines.feed(data))

    def end(self) -> list[ModelChunk]:
        """The last chunks. Raises AnswerCut or NotAnAnswer unless the answer ended well."""
        if self._document is not None:
            chunks = self._whole(b"".join(self._document))
        else:
            chunks = [] if self.done else self._remainder()
        if not self.finished:
            if self._complaint is not None:
                raise self._failure(self._complaint)
            if self.spoke:
                raise cut()
            raise NotAnAnswer("The endpoint answered, but not with an answer.", hint=CHECK_URL)
        return [*chunks, self._usage] if self._usage else chunks

    def _remainder(self) -> list[ModelChunk]:
        try:
            return self._chunks(self._lines.end())
        except NotAnAnswer as error:
            raise cut() from error

    def _begin(self, data: bytes) -> None:
        self._begun = True
        if data.startswith(b"<"):
            raise NotAnAnswer("The endpoint answered with a web page.", hint=CHECK_URL)
        if data.startswith((b"{", b"[")):
            self._document = []

    def _chunks(self, events: list[tuple[str, bytes]]) -> list[ModelChunk]:
        chunks: list[ModelChunk] = []
        for name, data in events:
            if self.done or not data:
                continue
            if data.startswith(b"[DONE]"):
                self.done = True
            else:
                self._object(self._parse(data), name == "error", chunks)
        return chunks

    def _whole(self, document: bytes) -> list[ModelChunk]:
        chunks: list[ModelChunk] = []
        self._object(self._parse(document), False, chunks)
        return chunks

    def _parse(self, data: bytes) -> object:
        try:
            value: object = json.loads(data)
        except (ValueError, RecursionError) as error:
            start = quote(data[:200].decode("utf-8", "replace"), self._secrets)
            raise NotAnAnswer(
                f"The endpoint sent something that is not JSON: {start}", hint=CHECK_URL
            ) from error
        return value

    def _object(self, value: object, is_error: bool, chunks: list[ModelChunk]) -> None:
        if isinstance(value, list) and value:
            value = value[0]  # Gemini wraps its errors
        if not isinstance(value, dict):
            return
        choices = value.get("choices")
        if is_error or value.get("error") or value.get("object") == "error":
            raise self._failure(value)
        if choices is None and read_body(value).message:
            self._complaint = value
        self._count(value.get("usage"))
        groq = value.get("x_groq")
        self._count(groq.get("usage") if isinstance(groq, dict) else None)
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            self._choice(choices[0], chunks)

    def _failure(self, value: JsonObject) -> ModelError:
        """A whole document is no answer that broke off: asking again gives the same."""
        kind = AnswerCut if self._document is None else ModelError
        return from_report(read_body(value), self._secrets, otherwise=kind)

    def _count(self, usage: object) -> None:
        if not isinstance(usage, dict):
            return
        read, written = (
            next((usage[name] for name in names if _is_number(usage.get(name))), None)
            for names in (READ, WRITTEN)
        )
        if read is not None or written is not None:
            self._usage = UsageChunk(input_tokens=int(read or 0), output_tokens=int(written or 0))

    def _choice(self, choice: JsonObject, chunks: list[ModelChunk]) -> None:
        if choice.get("error"):
            raise self._failure(choice)
        self._count(choice.get("usage"))  # where Moonshot has it
        before = len(chunks)
        delta = self._delta(choice)
        self._prose(delta, chunks)
        if calls := _calls(delta):
            chunks += self._thinking.before_call()
            chunks += [self._calls.chunk(call) for call in calls]
        self.spoke = self.spoke or len(chunks) > before
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason and not self.finished:
            self._finish(reason, chunks)

    def _delta(self, choice: JsonObject) -> JsonObject:
        """What is new. Perplexity sends all that was said so far beside it."""
        delta, message = choice.get("delta"), choice.get("message")
        if isinstance(delta, dict):
            self._has_deltas = True
            return delta
        return message if isinstance(message, dict) and not self._has_deltas else {}

    def _prose(self, delta: JsonObject, chunks: list[ModelChunk]) -> None:
        thinking = delta.get("reasoning_content") or delta.get("reasoning")
        if thinking and isinstance(thinking, str):
            text = self._reasoning.feed(thinking)
            if text:
                chunks.append(ReasoningChunk(text=text))
        details = delta.get("reasoning_details")
        if isinstance(details, list) and (kept := [one for one in details if _is_detail(one)]):
            chunks.append(ReasoningChunk(text="", details=kept))
        thought = _thought(delta.get("content"))
        if thought:
            chunks.append(ReasoningChunk(text=thought))
        text = self._text.feed(_content(delta.get("content")) or _content(delta.get("refusal")))
        if text:
            chunks += self._thinking.feed(text)
            self.spoke = True

    def _finish(self, reason: str, chunks: list[ModelChunk]) -> None:
        if BROKEN_OFF.search(reason):
            raise AnswerCut(f"The endpoint broke the answer off: {quote(reason, self._secrets)}.")
        self.finished = True
        chunks += self._thinking.feed(self._text.flush())
        chunks += self._thinking.flush()
        chunks.append(FinishChunk(reason=_reason(reason)))


def _reason(reason: str) -> Reason:
    return next((ours for sign, ours in REASONS if sign.search(reason)), "stop")


def cut() -> AnswerCut:
    """The error for a stream that ended before the answer did."""
    return AnswerCut(
        "The answer broke off: the stream ended without a finish reason.",
        hint=CUT_HINT,
    )


def _calls(delta: JsonObject) -> list[JsonObject]:
    """The pieces of calls; ``function_call`` is how they came before there were several."""
    calls = delta.get("tool_calls") or ()
    if isinstance(calls, dict):
        calls = [calls]
    found = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    legacy = delta.get("function_call")
    if not found and isinstance(legacy, dict):
        found.append({"index": 0, "function": legacy})
    return found


def _is_detail(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def _content(value: object) -> str:
    """Text of a ``content``: a string, or the text pieces of a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        pieces = [piece.get("text") for piece in value if isinstance(piece, dict)]
        return "".join(piece for piece in pieces if isinstance(piece, str))
    return ""


def _thought(value: object) -> str:
    """Thinking among the pieces of a ``content`` list, as Mistral sends it."""
    if not isinstance(value, list):
        return ""
    pieces = [piece.get("thinking") for piece in value if isinstance(piece, dict)]
    return "".join(piece if isinstance(piece, str) else _content(piece) for piece in pieces)


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (0 <= value < MOST_TOKENS)
    )
