"""What the loop needs of the rest: a model, a kernel, tools, an approver, a way to stop.

The loop knows its surroundings through these alone, so that a test or another surface gives it its
own. ``Stop`` is the only one with a lock: it may be used from any thread.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from gpt_code_ui.protocol import (
    CellPart,
    ChatMessage,
    ModelChunk,
    ModelRequest,
    Reason,
    ToolSpec,
    UsageChunk,
)
from gpt_code_ui.setting_types import Price

REFUSED = "The person did not allow this."


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
