"""Kernels that run cells for the product itself: what they say goes to whoever asked, and never
into the log of a conversation.
"""

import queue
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from gpt_code_ui.errors import KernelError
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    CellFinished,
    CellPart,
    ConversationSummary,
    Event,
    Execute,
    InputRequested,
    Published,
    StartKernel,
)
from gpt_code_ui.transcript import Fold

PREFIX = "replay-"
Heard = queue.SimpleQueue[Event]


class RunsCells(Protocol):
    """What is needed of the kernels."""

    def ensure_kernel(self, conversation_id: str, start: StartKernel) -> None:
        """Start a kernel unless one lives."""

    def execute(self, conversation_id: str, command: Execute) -> None:
        """Run a cell; its ``cell_finished`` always comes."""

    def interrupt(self, conversation_id: str) -> None:
        """Interrupt what runs."""

    def stop(self, conversation_id: str) -> None:
        """End the kernel."""


class Hearers:
    """Stands before the publisher: events under a name of ours are for a hearer, or nobody."""

    def __init__(self, publish: Callable[[str, Event], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._hearers: dict[str, Heard] = {}

    def publish(self, name: str, event: Event) -> None:
        """Pass an event on to where it belongs."""
        if not name.startswith(PREFIX):
            self._publish(name, event)
            return
        with self._lock:
            hearer = self._hearers.get(name)
        if hearer is not None:
            hearer.put(event)

    @contextmanager
    def listen(self, name: str) -> Iterator[Heard]:
        """What is said under ``name`` while this lasts."""
        heard: Heard = queue.SimpleQueue()
        with self._lock:
            self._hearers[name] = heard
        try:
            yield heard
        finally:
            with self._lock:
                del self._hearers[name]


class SilentKernel:
    """One kernel, used by one thread. ``name`` is what its events come under."""

    def __init__(self, kernels: RunsCells, kernel: str, name: str, heard: Heard) -> None:
        self._kernels = kernels
        self._kernel = kernel
        self._name = name
        self._heard = heard

    def run(self, code: str, stop: Stop) -> CellPart:
        """Run a cell to its end; a requested stop interrupts it.

        Raises KernelError when the code asks for input, for there is nobody to answer.
        """
        cell_id = uuid.uuid4().hex[:16]
        answer_to = None if self._name == self._kernel else self._name
        command = Execute(cell_id=cell_id, code=code, origin="person", answer_to=answer_to)
        self._kernels.execute(self._kernel, command)
        with stop.on_request(lambda: self._kernels.interrupt(self._kernel)):
            cell, asked = self._follow(cell_id)
        if asked:
            raise KernelError(
                "The code asks for input, and what was answered is not kept.",
                hint="Put the answer into the code.",
            )
        return cell

    def _follow(self, cell_id: str) -> tuple[CellPart, bool]:
        fold = Fold(ConversationSummary(id=self._name, title="", created_at="", updated_at=""))
        asked = False
        while True:
            event = self._heard.get()
            fold.apply(Published(conversation_id=self._name, at="", event=event))
            if isinstance(event, InputRequested) and not asked:
                asked = True
                self._kernels.interrupt(self._kernel)
            if isinstance(event, CellFinished) and event.cell_id == cell_id:
                cell = fold.cell(cell_id)
                assert cell is not None
                return cell, asked


@contextmanager
def fresh_kernel(
    kernels: RunsCells, hearers: Hearers, name: str, start: StartKernel
) -> Iterator[SilentKernel]:
    """A kernel of its own under ``name``, ended afterwards."""
    with hearers.listen(name) as heard:
        kernels.ensure_kernel(name, start)
        try:
            yield SilentKernel(kernels, name, name, heard)
        finally:
            kernels.stop(name)
