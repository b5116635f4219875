"""The way for models that take no tools: calls go out and come in as fenced blocks of text.

The loop knows nothing of it. A request is rewritten on its way out, calls as blocks and results as
messages of the user, so that the history stays the same for whatever model is asked next; of the
answer, the first block in the kernel's language, or with the name of another tool, becomes a call,
and what follows it never reaches the loop: it was written before the call had run.
"""

import json
import re
from collections.abc import Collection, Iterable

from gpt_code_ui.languages import words_for
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    RetypeChunk,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from gpt_code_ui.roles import in_turn

TOOL = "execute_code"
DROPPED = "dropped"
RULES = """
# How you run code here

Tools cannot be called in this conversation. Wherever a tool is named, this is meant instead:

- To run code, write one block that begins with a line ```{{language}} and ends with a line ```. It
  is run as it stands, and the next message tells you what came of it.
- One block in an answer, as its last thing: stop after the closing line. Whatever follows it is
  thrown away. Never write a result yourself; wait for it.
- An answer without such a block ends your turn. Code that is only to be read goes into a block with
  another word, such as ```text.
"""
OTHER_TOOLS = """- Other tools are used in the same way: one block with the tool's name as its word
  and the arguments as one JSON object, as the last thing of an answer. There are:
"""
CUT_OFF = "[What you wrote after the block was thrown away: nothing had run yet when you wrote it.]"
_ANY_LANGUAGE = frozenset({"execute_code", "tool_code"})
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_OPENING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*\{?\.?([\w+#.:-]*)[^`\n]*\Z")
_CLOSING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*\Z")
_MAYBE_OPENING = re.compile(r"[ \t]*(?:`{0,2}|~{0,2}|`{3,}[^`\n]*|~{3,}[^\n]*)\Z")
_MAYBE_CLOSING = re.compile(r"[ \t]*(?:`*|~*)[ \t]*\r?\Z")


def fenced(request: ModelRequest) -> ModelRequest:
    """The request without tools: the rules in the system prompt, the calls as blocks."""
    rewriter = _Rewriter(others(request), request.language)
    messages = in_turn(rewriter.rewritten(message) for message in request.messages)
    rules = RULES.replace("{{language}}", request.language)
    system = f"{request.system.rstrip()}\n{rules}{_told(request)}"
    return request.model_copy(update={"system": system, "messages": messages, "tools": []})


def others(request: ModelRequest) -> frozenset[str]:
    """The names of the tools beside the one for code."""
    return frozenset(tool.name for tool in request.tools if tool.name != TOOL)


def _told(request: ModelRequest) -> str:
    """The other tools, each with its block; empty without any."""
    tools = [tool for tool in request.tools if tool.name != TOOL]
    return OTHER_TOOLS + "".join(map(_tool, tools)) if tools else ""


def _tool(tool: ToolSpec) -> str:
    schema = json.dumps(tool.parameters, ensure_ascii=False)
    return f"""
```{tool.name}
{{...}}
```
{tool.description} The arguments fit this JSON schema: {schema}
"""


class _Rewriter:
    """Rewrites the messages of one request, in their order."""

    def __init__(self, tools: Collection[str], language: str) -> None:
        self._tools = tools
        self._language = language
        self._cut_off: set[str] = set()
        self._names: dict[str, str] = {}

    def rewritten(self, message: ChatMessage) -> UserMessage | AssistantMessage:
        match message:
            case UserMessage():
                return message
            case ToolMessage():
                note = f"\n{CUT_OFF}" if message.tool_call_id in self._cut_off else ""
                name = self._names.get(message.tool_call_id, "the code")
                return UserMessage(text=f"[What came of {name}]\n{message.text}{note}")
            case AssistantMessage():
                return self._said(message)

    def _said(self, message: AssistantMessage) -> AssistantMessage:
        calls = message.tool_calls
        self._cut_off.update(call.id for call in calls if _has_dropped(call))
        self._names.update((call.id, call.name) for call in calls if call.name in self._tools)
        blocks = [_block(call, self._tools, self._language) for call in calls]
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


def _block(call: ToolCall, tools: Collection[str], language: str) -> str:
    """A call as the block that it would have been."""
    code = _arguments(call).get("code")
    if call.name == TOOL and isinstance(code, str):
        word, text = language, code
    elif call.name in tools:
        word, text = call.name, call.arguments
    else:
        word, text = "text", f"{call.name}({call.arguments})"
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{word}\n{text}\n{fence}"


class FenceSplitter:
    """Turns the chunks of one fenced answer into those of an answer with a call.

    ``tools``: the names of those beside the one for code; ``language``: what the kernel runs.
    """

    def __init__(self, tools: Collection[str] = (), language: str = "python") -> None:
        self._tools = tools
        self._words = words_for(language) | _ANY_LANGUAGE
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
            elif isinstance(chunk, RetypeChunk) and self._state in ("text", "other"):
                # What was thinking opens no block.
                self._out += [TextChunk(text=self._held)] if self._held else []
                self._held, self._state, self._is_plain = "", "text", False
                self._out.append(chunk)
            else:
                self._out.append(chunk)
        return self._out

    def _piece(self, piece: str) -> None:
        """A line or a part of one. Nothing of a line goes on while it may be a fence."""
        if not self._is_plain:
            piece, self._held = self._held + piece, ""
            maybe = _MAYBE_OPENING if self._state == "text" else _MAYBE_CLOSING
            self._is_plain = self._state.startswith("after") or not maybe.match(piece.rstrip("\n"))
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
            elif opening.group(2) in self._tools:
                self._fence, self._state = opening.group(1), "tool"
                self._out.append(ToolCallChunk(index=0, name=opening.group(2)))
            elif opening.group(2).lower() in self._words:
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
        if self._state == "tool" and ends:
            self._state = "after_tool"
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
            case "tool":
                self._out.append(ToolCallChunk(index=0, arguments=piece))
            case "after" | "after_tool":
                self._dropped += len(piece.strip())
            case _:
                self._out.append(TextChunk(text=piece))

    def _finish(self, finish: FinishChunk) -> None:
        held, self._held = self._held, ""
        if held and self._state in ("code", "tool") and _CLOSING.match(held) is None:
            self._pass(held)
        elif held:
            self._line(held)
        if self._state == "after":
            ending = f', "{DROPPED}": {self._dropped}}}' if self._dropped else "}"
            self._out.append(ToolCallChunk(index=0, arguments=ending))
        # A block that nobody closed stays an object that nobody closed: it is read like one.
        if self._state not in ("text", "other") and finish.reason == "stop":
            finish = FinishChunk(reason="tool_calls")
        self._out.append(finish)
