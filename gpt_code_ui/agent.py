"""The loop of a turn: ask the model, run its code, tell it what happened, until it is done.

Knows its surroundings only through ports. ``run_turn`` yields events and does not raise: every part
it opens is closed, code from an answer that did not end well is never run, and the last event is
the only ``turn_finished``.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass

from gpt_code_ui.answer import Answer, execute_code
from gpt_code_ui.calls import STOPPED, Calls
from gpt_code_ui.capabilities import window_in
from gpt_code_ui.context import Gauge, estimate, size_of
from gpt_code_ui.errors import (
    ContextOverflow,
    GptCodeError,
    ModelError,
    TurnLimit,
)
from gpt_code_ui.languages import shown_language
from gpt_code_ui.ports import Approver, Aside, Kernel, Limits, Model, Stop, Tool, Unasked
from gpt_code_ui.protocol import (
    ChatMessage,
    ErrorBody,
    Event,
    ModelChunk,
    ModelRequest,
    ModelRequestSent,
    RequestSent,
    ToolSpec,
    TurnFinished,
    TurnStarted,
    TurnStatus,
    Usage,
    UsageChunk,
)
from gpt_code_ui.seeing import is_shown, pictures_in
from gpt_code_ui.setting_types import Price

log = logging.getLogger(__name__)


def run_turn(
    turn: TurnStarted,
    history: Sequence[ChatMessage],
    model: Model,
    kernel: Kernel,
    limits: Limits,
    stop: Stop,
    *,
    system: str,
    new_id: Callable[[], str],
    on_request: Callable[[str, str, str], None],
    gauge: Gauge | None = None,
    price: Price | None = None,
    tools: Sequence[Tool] = (),
    pictures: Callable[[Sequence[ChatMessage]], list[ChatMessage]] = list,
    aside: Aside | None = None,
    approver: Approver | None = None,
    language: str = "python",
) -> Iterator[Event]:
    """Answer the last user message of ``history``; the kernel publishes what runs in it.

    ``new_id`` names parts, cells and requests. ``on_request(request_id, url, body)`` gets every
    request as it left, before its ``model_request`` event. ``gauge`` keeps requests within the
    model's window; with a ``price`` the usage carries what it cost.
    ``tools`` are those beside ``execute_code``. ``pictures`` makes those of messages fit to be
    sent; ``aside`` is what else the turn spends. Without an ``approver`` nothing is asked first.
    ``language`` is what the kernel runs.
    """
    run = _Run(
        turn, list(history), model, kernel, limits, stop, system, new_id, on_request,
        gauge or Gauge(), price, tools, pictures, aside or Aside(), approver or Unasked(),
        language,
    )  # fmt: skip
    status: TurnStatus = "failed"
    error: ErrorBody | None = None
    try:
        yield from run.rounds()
        status = "completed"
    except TurnLimit as limit:
        status, error = "limit", limit.body()
    except GptCodeError as failure:
        error = failure.body()
    except Exception:
        log.exception("turn %s failed", turn.turn_id)
        error = GptCodeError(
            "Something went wrong inside GPT-Code UI.", hint="The log has the details."
        ).body()
    if stop.requested:
        status, error = "stopped", None
    yield from run.close(STOPPED if error is None else error.message)
    yield TurnFinished(turn_id=turn.turn_id, status=status, error=error)


def request_sent(turn_id: str, request_id: str, sent: RequestSent) -> ModelRequestSent:
    """The event for a request that left."""
    body = sent.body.encode()
    return ModelRequestSent(
        turn_id=turn_id,
        request_id=request_id,
        url=sent.url,
        bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        unseen=sent.unseen or None,
    )


@dataclass
class _Run:
    """The state of one turn."""

    turn: TurnStarted
    messages: list[ChatMessage]
    model: Model
    kernel: Kernel
    limits: Limits
    stop: Stop
    system: str
    new_id: Callable[[], str]
    on_request: Callable[[str, str, str], None]
    gauge: Gauge
    price: Price | None
    tools: Sequence[Tool]
    pictures: Callable[[Sequence[ChatMessage]], list[ChatMessage]]
    aside: Aside
    approver: Approver
    language: str = "python"

    def __post_init__(self) -> None:
        self._answer = Answer(self.turn.turn_id, self.new_id)
        self._input_tokens = 0
        self._output_tokens = 0
        self._sent_messages: list[ChatMessage] = []
        self._calls = Calls(
            self.turn.turn_id, self.kernel, self.limits, self.stop, self.tools, self.approver,
            self.new_id, self.language,
        )  # fmt: skip

    def rounds(self) -> Iterator[Event]:
        """Answers and the cells they ask for, until an answer asks for none."""
        for round_number in range(self.limits.max_rounds):
            yield from self._ask()
            answer = self._answer
            if self._is_stopped():
                return
            answer.require_good_end()
            yield from answer.close_prose()
            if not answer.calls:
                if not answer.has_text and round_number == 0:
                    only = "" if answer.is_empty else ": it only thought"
                    raise ModelError(
                        f"The model gave an empty answer{only}.",
                        hint="Ask again, or try another model.",
                    )
                return
            offered = [tool.name for tool in self._tools()]
            self.messages += yield from self._calls.run(answer, offered)
            if self._is_stopped():
                return
            yield from answer.late()
        raise TurnLimit(
            f"The model did not finish within {self.limits.max_rounds} rounds.",
            hint='What was done is kept. Write "go on" to let it continue.',
        )

    def close(self, reason: str) -> Iterator[Event]:
        """Close whatever is open: prose with what there is, code as not run."""
        answer = self._answer
        yield from answer.close_prose()
        for call in answer.calls:
            yield from self._calls.not_run(call, reason)
        yield from answer.late()

    def _is_stopped(self) -> bool:
        return self.stop.requested

    def _ask(self) -> Iterator[Event]:
        """One answer; a request that was too long is shortened and sent once more."""
        try:
            yield from self._try()
        except ContextOverflow as overflow:
            if not self._answer.is_empty or not self._can_shrink(overflow):
                raise
            log.info("request shortened: %s", overflow.message)
            yield from self._try()

    def _can_shrink(self, overflow: ContextOverflow) -> bool:
        size = size_of(self.system, self._sent_messages, self._tools(), count=self.gauge.count)
        self.gauge.overflowed(size, window_in(overflow.said or overflow.message))
        shorter = self.gauge.fit(self.system, self.pictures(self.messages), self._tools())
        return shorter != self._sent_messages

    def _tools(self) -> list[ToolSpec]:
        more = [tool.spec for tool in self.tools if tool.offered(self.messages)]
        return [execute_code(shown_language(self.language)), *more]

    def _try(self) -> Iterator[Event]:
        """One answer; repeats the request where a failure before any output allows it."""
        wait = self.limits.first_wait_s
        for attempt in range(self.limits.max_retries + 1):
            others = {tool.spec.name for tool in self.tools}
            self._answer = Answer(self.turn.turn_id, self.new_id, others)
            began = time.monotonic()
            try:
                yield from self._listen()
                return
            except ModelError as error:
                if error.retry_after is not None:
                    wait = error.retry_after
                took = time.monotonic() - began
                last = attempt == self.limits.max_retries
                if last or not self._worth_repeating(error, took, wait):
                    raise
                log.info("request repeated in %.1f s: %s", wait, error.message)
            if self.stop.wait(wait):
                return
            wait *= 2

    def _worth_repeating(self, error: ModelError, took: float, wait: float) -> bool:
        return (
            error.retryable
            and self._answer.is_empty
            and took <= self.limits.retry_window_s
            and wait <= self.limits.max_wait_s
        )

    def _listen(self) -> Iterator[Event]:
        tools = self._tools()
        self._sent_messages = self.gauge.fit(self.system, self.pictures(self.messages), tools)
        request = ModelRequest(
            turn_id=self.turn.turn_id,
            model=self.turn.model,
            system=self.system,
            messages=self._sent_messages,
            tools=tools,
            language=self.language,
        )
        chunks = self.model.stream(request, self.stop)
        with closing(chunks) if isinstance(chunks, Generator) else nullcontext():
            for chunk in chunks:
                if self.stop.requested:
                    return
                yield from self._take(chunk)

    def _take(self, chunk: ModelChunk) -> Iterator[Event]:
        match chunk:
            case RequestSent():
                yield self._sent(chunk)
            case UsageChunk():
                yield self._usage(chunk)
            case _:
                yield from self._answer.take(chunk)

    def _sent(self, sent: RequestSent) -> Event:
        request_id = self.new_id()
        self.on_request(request_id, sent.url, sent.body)
        return request_sent(self.turn.turn_id, request_id, sent)

    def _usage(self, usage: UsageChunk) -> Event:
        self._input_tokens += usage.input_tokens
        self._output_tokens += usage.output_tokens
        if not any(is_shown(one) for one in pictures_in(self._sent_messages)):
            # What pictures cost differs from model to model: it would spoil the count of text.
            sent = size_of(self.system, self._sent_messages, self._tools(), count=estimate)
            self.gauge.learn(sent, usage.input_tokens)
        price, aside = self.price, self.aside
        own = price.of(self._input_tokens, self._output_tokens) if price else None
        costs = [one for one in (own, aside.cost) if one is not None]
        return Usage(
            turn_id=self.turn.turn_id,
            input_tokens=self._input_tokens + aside.input_tokens,
            output_tokens=self._output_tokens + aside.output_tokens,
            context_tokens=usage.input_tokens + usage.output_tokens,
            context_window=self.gauge.window,
            cost=sum(costs) if costs else None,
        )
