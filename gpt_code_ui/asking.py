"""One request in the way a model can take it, and what its answer tells of the model."""

from collections.abc import Sequence
from dataclasses import dataclass

from gpt_code_ui.arguments import Refused, read
from gpt_code_ui.capabilities import PICTURES, Capabilities
from gpt_code_ui.chat_completions import request_body
from gpt_code_ui.fence import TOOL, FenceSplitter, fenced, others
from gpt_code_ui.printed_calls import PrintedCalls
from gpt_code_ui.protocol import (
    FinishChunk,
    ModelChunk,
    ModelRequest,
    ReasoningChunk,
    ToolCallChunk,
)
from gpt_code_ui.seeing import blind, is_shown, pictures_in, refused, sighted
from gpt_code_ui.tool_names import means, meant


@dataclass(frozen=True)
class Options:
    """What the person set for all requests; None: as the endpoint has it.

    ``max_tokens``: how long an answer may be. ``send_reasoning``: ``auto``, ``always`` or
    ``never``.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    send_reasoning: str = "auto"


class Asked:
    """A request and its answer. ``newest``: OpenAI's newest names are understood for certain."""

    def __init__(
        self, request: ModelRequest, known: Capabilities, options: Options, *, newest: bool,
        without_pictures: bool = False,
    ) -> None:  # fmt: skip
        """``without_pictures``: the endpoint took one of them amiss, perhaps not all pictures."""
        is_blind = known.vision is False
        self.unseen = 0
        if is_blind:
            self.unseen = sum(one.missing is None for one in pictures_in(request.messages))
            request = blind(request)
        elif without_pictures:
            request = refused(request)
        else:
            request = sighted(request)
        self.shows = any(is_shown(one) for one in pictures_in(request.messages))
        has_no_tools = bool(request.tools) and known.tools is False
        offered = [tool.name for tool in request.tools]
        self._printed = PrintedCalls(lambda name: bool(name) and meant(name, offered) is not None)
        self._fence = FenceSplitter(others(request), request.language) if has_no_tools else None
        self.body = request_body(
            fenced(request) if has_no_tools else request,
            with_usage=known.usage is not False,
            streamed=known.streams is not False,
            with_system=known.system is not False,
            with_reasoning=_sends_reasoning(options, known),
            with_details=options.send_reasoning != "never",
            with_bridges=known.bridges is True,
            options=_numbers(options, known, newest),
        )
        self.opened = known.opens_thinking is True
        self.learnt: dict[str, bool] = {}
        self.spoke = False
        self._calls: dict[int, tuple[str, list[str]]] = {}
        self._ended_well = False

    @property
    def calls_are_broken(self) -> bool | None:
        """Whether no call for code can be understood; None without one, or after a bad end."""
        calls = [pieces for name, pieces in self._calls.values() if means(name, TOOL)]
        if not calls or not self._ended_well:
            return None
        return all(isinstance(read("".join(pieces)), Refused) for pieces in calls)

    @property
    def fields(self) -> list[str]:
        """What the request has that an endpoint may refuse."""
        return [*self.body, PICTURES] if self.shows else [*self.body]

    @property
    def is_streamed(self) -> bool:
        """Whether the answer was asked for in pieces."""
        return bool(self.body["stream"])

    def take(self, batch: Sequence[ModelChunk]) -> list[ModelChunk]:
        """What the loop gets of a batch."""
        self.spoke = self.spoke or bool(batch)
        batch = self._printed.take(batch)
        for chunk in batch:
            if isinstance(chunk, ToolCallChunk) and self._fence is None:
                if not chunk.printed:
                    self.learnt["tools"] = True
                name, pieces = self._calls.get(chunk.index, ("", []))
                self._calls[chunk.index] = (name or chunk.name or "", pieces)
                pieces.append(chunk.arguments)
            elif isinstance(chunk, FinishChunk):
                self._ended_well = chunk.reason in ("stop", "tool_calls")
                if self.shows:
                    self.learnt["vision"] = True
            elif isinstance(chunk, ReasoningChunk):
                self.learnt["reasoning"] = True
        return batch if self._fence is None else self._fence.take(batch)

    def rest(self) -> list[ModelChunk]:
        """What still waited when the answer ended badly: it is shown, and nothing of it is run."""
        waited = self._printed.rest()
        return waited if self._fence is None else self._fence.take(waited)


def _sends_reasoning(options: Options, known: Capabilities) -> bool:
    match options.send_reasoning:
        case "always":
            return known.wants_reasoning is not False
        case "never":
            return False
        case _:
            return known.wants_reasoning is True


def _numbers(options: Options, known: Capabilities, newest: bool) -> dict[str, int | float]:
    """The options under the names that the model wants."""
    numbers: dict[str, int | float] = {}
    if options.temperature is not None and known.temperature is not False:
        numbers["temperature"] = options.temperature
    if options.max_tokens is not None:
        told = known.max_completion_tokens
        is_newest = newest if told is None else told
        numbers["max_completion_tokens" if is_newest else "max_tokens"] = options.max_tokens
    return numbers
