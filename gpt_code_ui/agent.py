"""The loop of a turn: ask the model, run its code, tell it what happened, until it is done.

Knows its model and its kernel only through the ports below. ``run_turn`` yields events and does not
raise: every part it opens is closed, code from an answer that did not end well is never run, and
the last event is the only ``turn_finished``.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from gpt_code_ui.answer import EXECUTE_CODE, Answer, Call
from gpt_code_ui.arguments import Refused, Understood
from gpt_code_ui.capabilities import window_in
from gpt_code_ui.context import Gauge, estimate, size_of
from gpt_code_ui.errors import (
    ContextOverflow,
    GptCodeError,
    ModelError,
    TurnLimit,
)
from gpt_code_ui.history import FAILED, shown_figures, told_report
from gpt_code_ui.protocol import (
    ApprovalRequested,
    ApprovalResolved,
    CellFinished,
    CellPart,
    CellStarted,
    ChatMessage,
    ErrorBody,
    Event,
    ModelChunk,
    ModelRequest,
    ModelRequestSent,
    Reason,
    RequestSent,
    ToolFinished,
    ToolMessage,
    ToolSpec,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    TurnStatus,
    Usage,
    UsageChunk,
)
from gpt_code_ui.same_errors import CHANGE_COURSE, Errors
from gpt_code_ui.seeing import is_shown, pictures_in
from gpt_code_ui.setting_types import Price
from gpt_code_ui.tool_names import meant

log = logging.getLogger(__name__)

STOPPED = "The turn was stopped before this code ran."
REFUSED = "The person did not allow this."
EDITED = "[The person changed this code before it ran. What ran:]\n{code}\n[What came of it:]\n"


class Stop:
    """A request to end a turn, made once, from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask to stop; asking again changes nothing."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    @contextmanager
    def on_request(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call ``callback`` once when a stop is requested, at once if it was already.

        It runs on the thread that asks, so it must not block.
        """
        with self._lock:
            requested = self._event.is_set()
            if not requested:
                self._callbacks.append(callback)
        if requested:
            callback()
        try:
            yield
        finally:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds; True as soon as a stop is requested."""
        return self._event.wait(timeout)


class Model(Protocol):
    """A model, wherever it runs."""

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        """One answer, chunk by chunk; a RequestSent comes before what it led to.

        Ends quietly when a stop is requested. Raises ModelError and its kin.
        """
        ...


class Kernel(Protocol):
    """The kernel of one conversation."""

    def run(
        self, cell_id: str, code: str, turn_id: str, stop: Stop, *, repaired: bool | None = None
    ) -> CellPart:
        """Run a cell to its end and publish its events; interrupt it when a stop is requested.

        Raises GptCodeError only if nothing of the cell was published.
        """
        ...


class Tool(Protocol):
    """Another tool than ``execute_code``."""

    @property
    def spec(self) -> ToolSpec:
        """As the model is told of it."""
        ...

    @property
    def server(self) -> str | None:
        """The MCP server it comes from; None for our own, which are not asked about."""
        ...

    def offered(self, messages: Sequence[ChatMessage]) -> bool:
        """Whether it is of use in this conversation."""
        ...

    def reasons(self, arguments: str) -> list[Reason]:
        """Why a person may want to be asked before it runs; none for what does no harm."""
        ...

    def run(self, arguments: str, stop: Stop) -> str:
        """What the model gets. Raises GptCodeError with words for the model."""
        ...


class Aside:
    """Tokens of other models that were asked for the turn, and dollars where ``price`` knows."""

    def __init__(self, price: Callable[[str], Price | None] = lambda _: None) -> None:
        self._price = price
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost: float | None = None

    def add(self, model: str, usage: UsageChunk) -> None:
        """Count one answer."""
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        if price := self._price(model):
            self.cost = (self.cost or 0.0) + price.of(usage.input_tokens, usage.output_tokens)


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


@dataclass(frozen=True)
class Decision:
    """What was decided about something that was asked: ``code`` is what runs in place of it.

    ``why`` is told where it does not run.
    """

    run: bool
    code: str | None = None
    remember: bool = False
    why: str = REFUSED


class Approver(Protocol):
    """Says what has to be asked about, and gets the answer."""

    def about_code(self, code: str) -> list[Reason]:
        """Why this code is asked about; empty if it just runs."""
        ...

    def about_tool(self, reasons: Sequence[Reason]) -> list[Reason]:
        """Which of a call's reasons it is asked about for; empty if it just runs."""
        ...

    def expect(self, cell_id: str) -> None:
        """From now on the question can be answered; comes before anybody is asked."""
        ...

    def wait(self, cell_id: str, stop: Stop) -> Decision | None:
        """The answer, however long it takes; None as soon as a stop is requested."""
        ...


class Unasked:
    """Lets everything run."""

    def about_code(self, code: str) -> list[Reason]:
        """Nothing."""
        return []

    def about_tool(self, reasons: Sequence[Reason]) -> list[Reason]:
        """Nothing."""
        return []

    def expect(self, cell_id: str) -> None:
        """Nobody waits."""

    def wait(self, cell_id: str, stop: Stop) -> Decision | None:
        """Nothing was asked."""
        return Decision(run=True)


@dataclass(frozen=True)
class Limits:
    """Where a turn ends by itself.

    ``max_repairs``: answers in a row that may fail after a first failure. ``output_bytes``: how
    much of a cell's output the model gets. After ``same_errors`` in a row the model is told to
    change course, and if it comes again the turn ends. A request is repeated only before any
    output, if its failure came within ``retry_window_s`` seconds and the wait is at most
    ``max_wait_s`` seconds.
    """

    max_rounds: int = 25
    max_repairs: int = 8
    max_malformed: int = 2
    same_errors: int = 3
    output_bytes: int = 8192
    max_retries: int = 2
    first_wait_s: float = 0.5
    max_wait_s: float = 30.0
    retry_window_s: float = 30.0


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
) -> Iterator[Event]:
    """Answer the last user message of ``history``; the kernel publishes what runs in it.

    ``new_id`` names parts, cells and requests. ``on_request(request_id, url, body)`` gets every
    request as it left, before its ``model_request`` event. ``gauge`` keeps requests within the
    model's window; with a ``price`` the usage carries what it cost.
    ``tools`` are those beside ``execute_code``. ``pictures`` makes those of messages fit to be
    sent; ``aside`` is what else the turn spends. Without an ``approver`` nothing is asked first.
    """
    run = _Run(
        turn, list(history), model, kernel, limits, stop, system, new_id, on_request,
        gauge or Gauge(), price, tools, pictures, aside or Aside(), approver or Unasked(),
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

    def __post_init__(self) -> None:
        self._answer = Answer(self.turn.turn_id, self.new_id)
        self._input_tokens = 0
        self._output_tokens = 0
        self._failures = 0
        self._malformed = 0
        self._call_ids: set[str] = set()
        self._sent_messages: list[ChatMessage] = []
        self._errors = Errors(self.limits.same_errors)
        self._drew: list[CellPart] = []

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
            yield from self._run_calls(answer)
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
            yield from self._not_run(call, reason)
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
        return [EXECUTE_CODE, *more]

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

    def _run_calls(self, answer: Answer) -> Iterator[Event]:
        """Run the calls in order and put them, with their results, into the history."""
        for call in answer.calls:
            self._name(call)
        results: list[ToolMessage] = []
        offered = [tool.name for tool in self._tools()]
        self._drew = []
        for call in answer.calls:
            if self.stop.requested:
                return
            name = meant(call.name, [*offered, *(one.spec.name for one in self.tools)])
            tool = next((one for one in self.tools if one.spec.name == name), None)
            if tool is not None:
                call.name = tool.spec.name
                told = yield from self._run_tool(call, tool)
                if told is None:
                    return
                results.append(told)
                continue
            code = call.code(offered)
            if isinstance(code, Refused):
                yield from self._refused(call, code.reason)
                self._count(ok=False, malformed=True)
                results.append(ToolMessage(tool_call_id=call.id, text=code.reason, failed=True))
            else:
                told = yield from self._run_cell(call, code)
                if told is None:
                    return
                results.append(told)
        # After all results: nothing may come between a call and its result.
        self.messages += [answer.message(), *results, *shown_figures(self._drew)]

    def _run_tool(self, call: Call, tool: Tool) -> Generator[Event, None, ToolMessage | None]:
        """The call's result; None if the turn was stopped while it was asked about."""
        id, arguments = call.cell_id, call.arguments
        if tool.server is not None:
            reasons = self.approver.about_tool(tool.reasons(arguments))
            decision = yield from self._decide(call, arguments, reasons, tool)
            if not decision.run:
                yield ToolFinished(call_id=id, status="error", content=decision.why)
                return self._not_allowed(call, decision)
        yield ToolStarted(
            call_id=id, turn_id=self.turn.turn_id, server=tool.server, name=tool.spec.name,
            arguments=arguments,
        )  # fmt: skip
        try:
            content, failed = tool.run(arguments, self.stop), False
        except GptCodeError as error:
            content, failed = " ".join(filter(None, (error.message, error.hint))), True
        except Exception:
            log.exception("tool %s failed", tool.spec.name)
            content, failed = "The tool failed.", True
        yield ToolFinished(call_id=id, status="error" if failed else "ok", content=content)
        if failed:
            self._count(ok=False)
        return ToolMessage(tool_call_id=call.id, text=content, failed=failed)

    def _decide(
        self, call: Call, code: str, reasons: list[Reason], tool: Tool | None = None
    ) -> Generator[Event, None, Decision]:
        """Ask, if there is a reason, and wait for the answer."""
        if not reasons:
            return Decision(run=True)
        # From here on the log has the code: who waits for it is told of no more of it.
        self.approver.expect(call.cell_id)
        yield ApprovalRequested(
            cell_id=call.cell_id, turn_id=self.turn.turn_id, code=code, reasons=reasons,
            tool=tool.spec.name if tool else None, server=tool.server if tool else None,
        )  # fmt: skip
        decision = self.approver.wait(call.cell_id, self.stop)
        if decision is None:
            return Decision(run=False, why=STOPPED)
        edited = decision.code is not None and decision.code != code
        yield ApprovalResolved(
            cell_id=call.cell_id, run=decision.run, edited=edited, remember=decision.remember
        )
        return decision

    def _not_allowed(self, call: Call, decision: Decision) -> ToolMessage | None:
        """What the model is told of something that was not allowed."""
        if self.stop.requested:
            return None
        self._count(ok=False)
        return ToolMessage(tool_call_id=call.id, text=f"[not run: {decision.why}]", failed=True)

    def _run_cell(self, call: Call, code: Understood) -> Generator[Event, None, ToolMessage | None]:
        """The cell's report; None if the turn was stopped while it was asked about."""
        decision = yield from self._decide(call, code.code, self.approver.about_code(code.code))
        if not decision.run:
            yield from self._not_run(call, decision.why, code.code)
            return self._not_allowed(call, decision)
        runs = code.code if decision.code is None else decision.code
        cell = self.kernel.run(
            call.cell_id,
            runs,
            self.turn.turn_id,
            self.stop,
            repaired=code.repaired or None,
        )
        call.closed = True
        self._drew.append(cell)
        if not self.stop.requested:
            self._count(ok=cell.status in ("ok", "interrupted"))
        text = told_report(cell, output_bytes=self.limits.output_bytes)
        if not self.stop.requested and self._errors.again(cell):
            text = f"{text}\n{CHANGE_COURSE}"
        if runs != code.code:
            text = EDITED.format(code=runs) + text
        return ToolMessage(tool_call_id=call.id, text=text, failed=cell.status in FAILED)

    def _count(self, *, ok: bool, malformed: bool = False) -> None:
        self._failures = 0 if ok else self._failures + 1
        self._malformed = self._malformed + 1 if malformed else 0
        if self._failures > self.limits.max_repairs:
            raise TurnLimit(
                f"The code failed {self._failures} times in a row, so the turn ended here.",
                hint="Tell the model what to do differently, or choose another model.",
            )
        if self._malformed > self.limits.max_malformed:
            raise TurnLimit(
                f"The model made {self._malformed} calls in a row that cannot be understood.",
                hint="Choose a model that is good at calling tools.",
            )

    def _name(self, call: Call) -> None:
        """Give the call an id that no other call of this turn has."""
        if not call.id or call.id in self._call_ids:
            call.id = f"call_{self.new_id()}"
        self._call_ids.add(call.id)

    def _refused(self, call: Call, reason: str) -> Iterator[Event]:
        """Show a call that cannot be run: as its cell, or without any code as a tool's."""
        if call.shown:
            yield from self._not_run(call, reason)
            return
        call.closed = True
        id = call.cell_id
        yield ToolStarted(
            call_id=id, turn_id=self.turn.turn_id, name=call.name, arguments=call.arguments
        )
        yield ToolFinished(call_id=id, status="error", content=reason)

    def _not_run(self, call: Call, reason: str, code: str | None = None) -> Iterator[Event]:
        """Close a cell that shows code, or was about to, as not run."""
        code = code or call.shown
        if call.closed or not code:
            return
        call.closed = True
        yield CellStarted(
            cell_id=call.cell_id, turn_id=self.turn.turn_id, code=code, origin="model"
        )
        yield CellFinished(cell_id=call.cell_id, status="not_run", reason=reason)
