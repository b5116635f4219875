"""One answer of a model, from chunks to events.

Keeps the rule that a part is closed before the next opens: text is closed before code shows, one
cell at a time is on the screen, and what the model writes while that cell is open waits in
``late``. Nothing here runs code or knows a vendor.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, assert_never

from gpt_code_ui.arguments import Refused, Understood, read
from gpt_code_ui.errors import AnswerCut, AnswerTooLong, ContentFiltered
from gpt_code_ui.json_stream import StringField
from gpt_code_ui.protocol import (
    AssistantMessage,
    CodeDelta,
    Event,
    FinishChunk,
    ReasoningChunk,
    ReasoningDelta,
    ReasoningDone,
    RetypeChunk,
    TextChunk,
    TextDelta,
    TextDone,
    ToolCall,
    ToolCallChunk,
    ToolSpec,
)
from gpt_code_ui.tool_names import means, meant, unknown_tool


def execute_code(language: str = "Python") -> ToolSpec:
    """The tool for code, as a model is told of it where the kernel runs ``language``."""
    return ToolSpec(
        name="execute_code",
        description=(
            f"Run {language} code in this conversation's Jupyter kernel and get what it prints, "
            "its last value, and its errors. Variables stay between calls. Figures and tables that "
            "are displayed are shown to the person. The working directory holds their files."
        ),
        parameters={
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": f"The {language} code to run."}
            },
            "required": ["code"],
            "additionalProperties": False,
        },
    )


EXECUTE_CODE = execute_code()

Prose = Literal["text", "reasoning"]
AnswerChunk = TextChunk | ReasoningChunk | RetypeChunk | ToolCallChunk | FinishChunk


def code_of(
    name: str, arguments: str, offered: Collection[str] = (EXECUTE_CODE.name,)
) -> Understood | Refused:
    """The code a finished call of a well-ended answer asks to run, or why there is none."""
    if meant(name, offered) != EXECUTE_CODE.name:
        return Refused(unknown_tool(name, offered))
    understood = read(arguments)
    if isinstance(understood, Understood) and name != EXECUTE_CODE.name:
        return replace(understood, repaired=True)
    return understood


@dataclass
class Call:
    """A tool call as it is being written, and the cell that shows it."""

    cell_id: str
    id: str = ""
    name: str = ""
    closed: bool = False
    printed: bool = False
    extra: dict[str, Any] | None = None
    others: Collection[str] = ()
    _pieces: list[str] = field(default_factory=list)
    _unread: list[str] = field(default_factory=list)
    _shown: list[str] = field(default_factory=list)
    _decoder: StringField = field(default_factory=lambda: StringField("code"))

    @property
    def arguments(self) -> str:
        """The arguments as far as they came."""
        return "".join(self._pieces)

    @property
    def shown(self) -> str:
        """The code that could be read out of the arguments so far."""
        return "".join(self._shown)

    def take(self, chunk: ToolCallChunk) -> str:
        """Add a piece of the call; return the code it brought to light."""
        self.id = self.id or chunk.id or ""
        self.printed = self.printed or chunk.printed
        self.extra = chunk.extra or self.extra
        # Some servers repeat the whole name in every chunk, others cut it in pieces.
        if chunk.name and chunk.name != self.name:
            self.name += chunk.name
        self._pieces.append(chunk.arguments)
        self._unread.append(chunk.arguments)
        if self.name in self.others or not means(self.name, EXECUTE_CODE.name):
            return ""
        fresh = self._decoder.feed("".join(self._unread))
        self._unread.clear()
        self._shown.append(fresh)
        return fresh

    def code(self, offered: Collection[str] = (EXECUTE_CODE.name,)) -> Understood | Refused:
        """What to run, once the answer has ended well; ``offered`` are the tools there are."""
        code = code_of(self.name, self.arguments, offered)
        if self.printed and isinstance(code, Understood):
            return replace(code, repaired=True)
        return code

    def for_history(self) -> ToolCall:
        """The call as the model is reminded of it: always valid JSON, and as it was understood.

        Chat templates of several servers parse old arguments and fail on broken ones.
        """
        code = self.code()
        if isinstance(code, Understood) and code.repaired:
            arguments = json.dumps({"code": code.code}, ensure_ascii=False)
            return ToolCall(
                id=self.id, name=EXECUTE_CODE.name, arguments=arguments, extra=self.extra
            )
        arguments = self.arguments
        try:
            valid = isinstance(json.loads(arguments), dict)
        except (ValueError, RecursionError):
            valid = False
        if not valid:
            arguments = json.dumps({"malformed": arguments}, ensure_ascii=False)
        return ToolCall(
            id=self.id,
            name=self.name or EXECUTE_CODE.name,
            arguments=arguments,
            extra=self.extra,
        )


def add_details(known: list[dict[str, Any]], fresh: Sequence[dict[str, Any]]) -> None:
    """Join the pieces of a detail; what it holds is the endpoint's own business.

    After OpenRouter's "preserving reasoning blocks": the sequence goes back as it came.
    """
    for one in fresh:
        last = known[-1] if known else {}
        same = all(last.get(name) == one.get(name) for name in ("type", "index"))
        if not known or not same or "index" not in one:
            known.append(dict(one))
            continue
        for name, value in one.items():
            grows = name in ("text", "summary", "data") and isinstance(value, str)
            if grows and isinstance(last.get(name), str):
                last[name] += value
            elif value is not None:
                last[name] = value


@dataclass
class _Open:
    """The prose part that is on the screen and not closed."""

    kind: Prose
    part_id: str
    pieces: list[str] = field(default_factory=list)
    length: int = 0


class Answer:
    """Folds the chunks of one answer into events, and into what the history keeps of it."""

    def __init__(
        self, turn_id: str, new_id: Callable[[], str], others: Collection[str] = ()
    ) -> None:
        """``others``: the names of the tools that run no code."""
        self._turn_id = turn_id
        self._others = others
        self._new_id = new_id
        self._open: _Open | None = None
        self._writing: Call | None = None
        self._written = 0
        self._late: list[TextChunk | ReasoningChunk] = []
        self._text: list[str] = []
        self._thought: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._calls: dict[int, Call] = {}
        self.finish: FinishChunk | None = None
        self.is_empty = True

    @property
    def has_text(self) -> bool:
        """Whether anything was said, thinking left aside."""
        return any(piece.strip() for piece in self._text)

    @property
    def calls(self) -> list[Call]:
        """The calls in the order in which they were begun."""
        return list(self._calls.values())

    def take(self, chunk: AnswerChunk) -> Iterator[Event]:
        """The events that a chunk causes."""
        match chunk:
            case TextChunk() | ReasoningChunk():
                yield from self._prose(chunk)
            case RetypeChunk():
                yield from self._retype(chunk.kind)
            case ToolCallChunk():
                yield from self._call(chunk)
            case FinishChunk():
                self.finish = chunk
            case _:
                assert_never(chunk)

    def require_good_end(self) -> None:
        """Raise AnswerCut, AnswerTooLong or ContentFiltered unless the answer ended well."""
        match self.finish:
            case None:
                raise AnswerCut(
                    "The model's answer broke off before its end.",
                    hint="Ask again. Code that was cut was not run.",
                )
            case FinishChunk(reason="length"):
                raise AnswerTooLong(
                    "The model stopped in the middle: its answer reached the length limit.",
                    hint="Ask for a smaller step, or choose a model with a larger output limit.",
                )
            case FinishChunk(reason="content_filter"):
                raise ContentFiltered(
                    "The endpoint's content filter stopped the answer.",
                    hint="Rephrase the question, or choose another model.",
                )

    def close_prose(self) -> Iterator[Event]:
        """Close the text or reasoning that is open, with its whole value."""
        part, self._open = self._open, None
        if part is None:
            return
        whole = "".join(part.pieces)
        if part.kind == "text":
            yield TextDone(part_id=part.part_id, turn_id=self._turn_id, text=whole)
        else:
            yield ReasoningDone(part_id=part.part_id, turn_id=self._turn_id, text=whole)

    def late(self) -> Iterator[Event]:
        """What the model wrote after its first code, once every cell is closed."""
        self._writing = None
        waiting, self._late = self._late, []
        for chunk in waiting:
            yield from self._prose(chunk, again=True)
        yield from self.close_prose()

    def message(self) -> AssistantMessage:
        """The answer as the history keeps it."""
        calls = [call.for_history() for call in self._calls.values()]
        return AssistantMessage(
            text="".join(self._text),
            tool_calls=calls,
            reasoning="".join(self._thought),
            details=self._details,
        )

    def _prose(self, chunk: TextChunk | ReasoningChunk, *, again: bool = False) -> Iterator[Event]:
        if isinstance(chunk, ReasoningChunk) and not again:
            add_details(self._details, chunk.details or ())
        if not chunk.text:
            return
        self.is_empty = False
        if not again:
            into = self._text if isinstance(chunk, TextChunk) else self._thought
            into.append(chunk.text)
        if self._writing is not None:
            self._late.append(chunk)
            return
        if self._open is None or self._open.kind != chunk.type:
            yield from self.close_prose()
            self._open = _Open(chunk.type, self._new_id())
        part = self._open
        delta = TextDelta if part.kind == "text" else ReasoningDelta
        yield delta(part_id=part.part_id, offset=part.length, text=chunk.text)
        part.pieces.append(chunk.text)
        part.length += len(chunk.text)

    def _retype(self, kind: Prose) -> Iterator[Event]:
        """Close what is open as the kind that it was; the history keeps it as that as well."""
        if self._open is None or self._open.kind == kind:
            return
        self._open.kind = kind
        into, out_of = self._text, self._thought
        if kind == "reasoning":
            into, out_of = out_of, into
        into += out_of
        out_of.clear()
        yield from self.close_prose()

    def _call(self, chunk: ToolCallChunk) -> Iterator[Event]:
        self.is_empty = False
        call = self._calls.get(chunk.index)
        if call is None:
            call = self._calls[chunk.index] = Call(self._new_id(), others=self._others)
        fresh = call.take(chunk)
        if self._writing is None and fresh:
            yield from self.close_prose()
            self._writing, self._written = call, 0
        if not fresh or call is not self._writing:
            return
        yield CodeDelta(cell_id=call.cell_id, offset=self._written, text=fresh)
        self._written += len(fresh)
