"""The way for models that take no tools: code goes out and comes in as fenced blocks of text.

The loop knows nothing of it. A request is rewritten on its way out, calls as blocks and results as
messages of the user, so that the history stays the same for whatever model is asked next; of the
answer, the first Python block becomes a call, and what follows it never reaches the loop: it was
written before the code had run.
"""

import json
import re
from collections.abc import Iterable

from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
    UserMessage,
)
from gpt_code_ui.roles import in_turn

TOOL = "execute_code"
DROPPED = "dropped"
RULES = """
# How you run code here

Tools cannot be called in this conversation. Wherever a tool is named, this is meant instead:

- To run code, write one block that begins with a line ```python and ends with a line ```. It is
  run as it stands, and the next message tells you what came of it.
- One block in an answer, as its last thing: stop after the closing line. Whatever follows it is
  thrown away. Never write a result yourself; wait for it.
- An answer without such a block ends your turn. Code that is only to be read goes into a block with
  another word, such as ```text.
"""
CUT_OFF = "[What you wrote after the block was thrown away: nothing had run yet when you wrote it.]"
_LANGUAGES = frozenset({"python", "python3", "py", "py3", "ipython", "execute_code", "tool_code"})
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_OPENING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*\{?\.?([\w+#-]*)[^`\n]*\Z")
_CLOSING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*\Z")
_MAYBE_OPENING = re.compile(r"[ \t]*(?:`{0,2}|~{0,2}|`{3,}[^`\n]*|~{3,}[^\n]*)\Z")
_MAYBE_CLOSING = re.compile(r"[ \t]*(?:`*|~*)[ \t]*\r?\Z")


def fenced(request: ModelRequest) -> ModelRequest:
    """The request without tools: the rules in the system prompt, the calls as blocks."""
    cut_off: set[str] = set()
    messages = in_turn(_rewritten(message, cut_off) for message in request.messages)
    system = f"{request.system.rstrip()}\n{RULES}"
    return request.model_copy(update={"system": system, "messages": messages, "tools": []})


def _rewritten(message: ChatMessage, cut_off: set[str]) -> UserMessage | AssistantMessage:
    match message:
        case UserMessage():
            return message
        case ToolMessage():
            note = f"\n{CUT_OFF}" if message.tool_call_id in cut_off else ""
            return UserMessage(text=f"[What came of the code]\n{message.text}{note}")
        case AssistantMessage():
            cut_off.update(call.id for call in message.tool_calls if _has_dropped(call))
            blocks = [_block(call) for call in message.tool_calls]
            text = "\n\n".join(piece for piece in (message.text.rstrip(), *blocks) if piece)
            return message.model_copy(update={"text": text, "tool_calls": []})


def _arguments(call: ToolCall) -> dict[str, object]:
    try:
        value = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _has_dropped(call: ToolCall) -> bool:
    return DROPPED in _arguments(call)


def _block(call: ToolCall) -> str:
    """A call as the block that it would have been."""
    code = _arguments(call).get("code")
    is_code = call.name == TOOL and isinstance(code, str)
    text = str(code) if is_code else f"{call.name}({call.arguments})"
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{'python' if is_code else 'text'}\n{text}\n{fence}"


class FenceSplitter:
    """Turns the chunks of one fenced answer into those of an answer with a call."""

    def __init__(self) -> None:
        self._state = "text"
        self._held = ""
        self._is_plain = False
        self._fence = ""
        self._newline = ""
        self._dropped = 0
        self._out: list[ModelChunk] = []

    def take(self, chunks: Iterable[ModelChunk]) -> list[ModelChunk]:
        """The chunks that are certain so far."""
        self._out = []
        for chunk in chunks:
            if isinstance(chunk, TextChunk):
                for piece in _LINES.findall(chunk.text):
                    self._piece(piece)
            elif isinstance(chunk, FinishChunk):
                self._finish(chunk)
            else:
                self._out.append(chunk)
        return self._out

    def _piece(self, piece: str) -> None:
        """A line or a part of one. Nothing of a line goes on while it may be a fence."""
        if not self._is_plain:
            piece, self._held = self._held + piece, ""
            maybe = _MAYBE_CLOSING if self._state in ("code", "other") else _MAYBE_OPENING
            self._is_plain = self._state == "after" or not maybe.match(piece.rstrip("\n"))
            if not self._is_plain and not piece.endswith("\n"):
                self._held = piece
                return
            if not self._is_plain:
                self._line(piece)
                return
        self._pass(piece)
        self._is_plain = not piece.endswith("\n")

    def _line(self, line: str) -> None:
        """A whole line that may be a fence."""
        bare = line.rstrip("\r\n")
        if self._state == "text":
            opening = _OPENING.match(bare)
            if opening is None:
                self._pass(line)
            elif opening.group(2).lower() in _LANGUAGES:
                self._fence, self._state = opening.group(1), "code"
                self._out.append(ToolCallChunk(index=0, name=TOOL, arguments='{"code": "'))
            else:
                self._fence, self._state = opening.group(1), "other"
                self._pass(line)
            return
        closing = _CLOSING.match(bare)
        ends = closing is not None and closing.group(1).startswith(self._fence)
        if self._state == "code" and ends:
            self._state = "after"
            self._out.append(ToolCallChunk(index=0, arguments='"'))
            return
        self._pass(line)
        if ends:
            self._state = "text"

    def _pass(self, piece: str) -> None:
        match self._state:
            case "code":
                text = self._newline + piece.rstrip("\r\n")
                self._newline = "\n" if piece.endswith("\n") else ""
                if text:
                    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
                    self._out.append(ToolCallChunk(index=0, arguments=escaped))
            case "after":
                self._dropped += len(piece.strip())
            case _:
                self._out.append(TextChunk(text=piece))

    def _finish(self, finish: FinishChunk) -> None:
        held, self._held = self._held, ""
        if held and self._state == "code" and _CLOSING.match(held) is None:
            self._pass(held)
        elif held:
            self._line(held)
        if self._state == "after":
            ending = f', "{DROPPED}": {self._dropped}}}' if self._dropped else "}"
            self._out.append(ToolCallChunk(index=0, arguments=ending))
        # A block that nobody closed stays an object that nobody closed: it is read like one.
        if self._state in ("code", "after") and finish.reason == "stop":
            finish = FinishChunk(reason="tool_calls")
        self._out.append(finish)
