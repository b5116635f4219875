"""The web process's view of all kernels: commands out, events in, whatever becomes of the manager.

Invariant: every cell handed to ``execute`` is finished exactly once in what ``publish`` gets: by
the manager, or here when there is no manager to do it. No call waits for a manager.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from gpt_code_ui.bus import Bus
from gpt_code_ui.errors import BusError, ManagerUnavailable, MessageTooLarge, QueueFull
from gpt_code_ui.protocol import (
    CellFinished,
    CellStarted,
    Command,
    CommandMessage,
    Event,
    EventMessage,
    Execute,
    InputReply,
    InterruptKernel,
    KernelStatus,
    Query,
    QueryAnswered,
    RestartKernel,
    SetNetwork,
    StartKernel,
    StopKernel,
)

log = logging.getLogger(__name__)

WAIT_S = 10.0
# Longer than the manager waits for a kernel.
QUERY_S = 75.0
JOIN_S = 1.0
NO_MANAGER = "The kernel manager is not running; it is being started again."
_adapter: TypeAdapter[EventMessage] = TypeAdapter(EventMessage)

Publish = Callable[[str, Event], None]
Events = list[tuple[str, Event]]


@dataclass
class _Cell:
    """A cell that is not finished. ``due``: when it is given up; None once it was sent."""

    command: Execute
    due: float | None
    started: bool = False


@dataclass
class _Conversation:
    start: StartKernel | None = None
    start_sent: StartKernel | None = None
    alive: bool = False
    cells: dict[str, _Cell] = field(default_factory=dict)

    @property
    def language(self) -> str | None:
        """What its kernel runs, where that is not Python."""
        return self.start.language if self.start else None


class KernelClient:
    """One for the process; any thread may call it.

    ``publish(conversation_id, event)`` must not block: it is called on the bus's thread, or on
    the caller's where there is no manager.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._bus: Bus | None = None
        self._conversations: dict[str, _Conversation] = {}
        self._state = threading.RLock()
        # Held over sends, so that commands arrive as they were given. Never taken by on_receive:
        # a send waits for room that only the bus's thread can make.
        self._order = threading.Lock()
        self._timer: threading.Timer | None = None
        self._asked: dict[str, Future[QueryAnswered]] = {}

    # --- the manager ---------------------------------------------------------------------------

    def attach(self, bus: Bus) -> None:
        """A manager is there, in a new run: give it what waited."""
        with self._state:
            self._bus = bus
            for conversation in self._conversations.values():
                conversation.start_sent = None
        self._send_waiting()

    def detach(self, reason: str) -> None:
        """The manager is lost, with every kernel and every cell it had."""
        with self._state:
            self._bus = None
            lost = self._lose(reason)
            unanswered = list(self._asked.values())
        for future in unanswered:
            with suppress(InvalidStateError):
                future.set_exception(ManagerUnavailable(NO_MANAGER))
        self._tell(lost)

    def close(self) -> None:
        """Give up what waits; for the end of the process."""
        with self._state:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join(JOIN_S)
        self.detach("The server was stopped.")
        self._give_up(lambda cell: cell.due is not None, "The server was stopped.")

    def _lose(self, reason: str) -> Events:
        events: Events = []
        for id, conversation in self._conversations.items():
            conversation.start_sent = None
            for cell in [c for c in conversation.cells.values() if c.due is None]:
                del conversation.cells[cell.command.cell_id]
                how = "died" if cell.started else "not_run"
                events += _finished(id, cell, how, reason, conversation.language)
            if conversation.alive:
                conversation.alive = False
                events.append((id, KernelStatus(state="dead", reason=reason)))
        return events

    def on_receive(self, body: bytes) -> None:
        """A message of the manager; the bus's ``Receive``."""
        try:
            message = _adapter.validate_json(body)
        except ValidationError as error:
            log.warning("dropped an event that is none: %s", error)
            return
        if isinstance(message.event, QueryAnswered):
            with self._state:
                future = self._asked.get(message.event.query_id)
            if future is not None:
                with suppress(InvalidStateError):
                    future.set_result(message.event)
            return
        with self._state:
            self._note(message.conversation_id, message.event)
        self._publish(message.conversation_id, message.event)

    def _note(self, conversation_id: str, event: Event) -> None:
        conversation = self._owner(conversation_id)
        if conversation is None:
            return
        if isinstance(event, KernelStatus):
            conversation.alive = event.state not in ("dead", "parked")
        elif isinstance(event, CellStarted):
            cell = conversation.cells.get(event.cell_id)
            if cell is not None:
                cell.started = True
        elif isinstance(event, CellFinished):
            conversation.cells.pop(event.cell_id, None)

    def _owner(self, name: str) -> _Conversation | None:
        """The conversation that events under ``name`` belong to, also where that is another."""
        if name in self._conversations:
            return self._conversations[name]
        for conversation in self._conversations.values():
            if any(cell.command.answer_to == name for cell in conversation.cells.values()):
                return conversation
        return None

    # --- commands ------------------------------------------------------------------------------

    def ensure_kernel(self, conversation_id: str, start: StartKernel) -> None:
        """Have a kernel for the conversation, now or as soon as there is a manager."""
        with self._state:
            conversation = self._conversations.setdefault(conversation_id, _Conversation())
            conversation.start = start
        self._send(conversation_id, None)

    def execute(self, conversation_id: str, command: Execute) -> None:
        """Run a cell after those before it. Waits for a manager ``WAIT_S`` at most, elsewhere."""
        with self._state:
            conversation = self._conversations.setdefault(conversation_id, _Conversation())
            due = time.monotonic() + WAIT_S
            conversation.cells[command.cell_id] = _Cell(command, due)
        self._send_waiting()
        self._arm()

    def interrupt(self, conversation_id: str) -> None:
        """Interrupt what runs and drop what waits."""
        self._give_up_waiting(conversation_id, "It was interrupted before it ran.")
        self._send(conversation_id, InterruptKernel())

    def restart(self, conversation_id: str) -> None:
        """A fresh kernel for the conversation."""
        self._give_up_waiting(conversation_id, "The kernel was restarted before it ran.")
        self._send(conversation_id, RestartKernel())

    def stop(self, conversation_id: str) -> None:
        """End the conversation's kernel; it comes back with the next ``ensure_kernel``."""
        self._give_up_waiting(conversation_id, "The kernel was stopped before it ran.")
        self._send(conversation_id, StopKernel())
        with self._state:
            conversation = self._conversations.get(conversation_id)
            if conversation is not None:
                conversation.start = conversation.start_sent = None

    def set_network(self, conversation_id: str, network: bool) -> bool:
        """Let the code of a kernel reach the network, or no longer; False where there is none."""
        with self._state:
            conversation = self._conversations.get(conversation_id)
            if conversation is None or conversation.start is None:
                return False
            update = {"network": network}
            sent = conversation.start_sent == conversation.start
            conversation.start = conversation.start.model_copy(update=update)
            if sent:
                conversation.start_sent = conversation.start
        return sent and self._send(conversation_id, SetNetwork(network=network))

    def input_reply(self, conversation_id: str, reply: InputReply) -> None:
        """The person's line for the cell that asked for it."""
        self._send(conversation_id, reply)

    def has_cell(self, conversation_id: str, cell_id: str) -> bool:
        """Whether that cell runs or waits."""
        with self._state:
            conversation = self._conversations.get(conversation_id)
            return conversation is not None and cell_id in conversation.cells

    def query(self, conversation_id: str, query: Query) -> QueryAnswered:
        """Ask about variables and wait for the answer. Raises ManagerUnavailable.

        Nothing is started for it: where no kernel was, that is the answer.
        """
        with self._state:
            conversation = self._conversations.get(conversation_id)
            if conversation is None or conversation.start_sent is None:
                return QueryAnswered(query_id=query.query_id, content={"state": "parked"})
            future = self._asked[query.query_id] = Future()
        try:
            if not self._send(conversation_id, query):
                raise ManagerUnavailable(NO_MANAGER)
            return future.result(QUERY_S)
        except TimeoutError as error:
            raise ManagerUnavailable("The kernel manager did not answer.") from error
        finally:
            with self._state:
                del self._asked[query.query_id]

    def running(self, conversation_id: str) -> bool:
        """Whether a cell runs or waits."""
        with self._state:
            conversation = self._conversations.get(conversation_id)
            return conversation is not None and bool(conversation.cells)

    # --- sending -------------------------------------------------------------------------------

    def _send(self, conversation_id: str, command: Command | None) -> bool:
        """Send a command, after the start of its kernel if this manager has not seen that."""
        with self._order:
            return self._send_in_order(conversation_id, command)

    def _send_in_order(self, conversation_id: str, command: Command | None) -> bool:
        with self._state:
            bus = self._bus
            conversation = self._conversations.get(conversation_id)
            if bus is None or conversation is None:
                return False
            start = conversation.start if conversation.start_sent != conversation.start else None
            conversation.start_sent = conversation.start
        commands = [c for c in (start, command) if c is not None]
        try:
            for each in commands:
                message = CommandMessage(conversation_id=conversation_id, command=each)
                bus.send(message.model_dump_json().encode())
        except BusError as error:
            conversation.start_sent = None
            log.warning("a command did not reach the kernel manager: %s", error)
            if isinstance(command, Execute):
                self._not_sent(conversation, command, error)
            return False
        return True

    def _not_sent(self, conversation: _Conversation, command: Execute, error: BusError) -> None:
        cell = conversation.cells.get(command.cell_id)
        if isinstance(error, QueueFull | MessageTooLarge):
            reason = f"The cell could not be handed to the kernel manager: {error.message}"
            self._give_up(lambda each: each is cell, reason)
        elif cell is not None:
            # The manager is gone and that will be said in a moment; another one may come.
            cell.due = time.monotonic() + WAIT_S
            self._arm()

    def _send_waiting(self) -> None:
        """Send the cells that wait, oldest first."""
        with self._order:
            with self._state:
                if self._bus is None:
                    return
                waiting = [
                    (id, cell)
                    for id, conversation in self._conversations.items()
                    for cell in conversation.cells.values()
                    if cell.due is not None
                ]
                for _, cell in waiting:
                    cell.due = None
            for id, cell in waiting:
                self._send_in_order(id, cell.command)

    # --- giving up -----------------------------------------------------------------------------

    def _arm(self) -> None:
        """Come back when the first cell has waited long enough."""
        with self._state:
            due = [
                cell.due
                for conversation in self._conversations.values()
                for cell in conversation.cells.values()
                if cell.due is not None
            ]
            if not due or self._timer is not None:
                return
            self._timer = threading.Timer(max(0.0, min(due) - time.monotonic()), self._expire)
            self._timer.name = "kernel-client-timer"
            self._timer.daemon = True
            self._timer.start()

    def _expire(self) -> None:
        with self._state:
            self._timer = None
        now = time.monotonic()
        self._give_up(lambda cell: cell.due is not None and cell.due <= now, NO_MANAGER)
        self._arm()

    def _give_up_waiting(self, conversation_id: str, reason: str) -> None:
        with self._state:
            conversation = self._conversations.get(conversation_id)
            cells = list(conversation.cells.values()) if conversation else []
        self._give_up(lambda cell: cell.due is not None and cell in cells, reason)

    def _give_up(self, condition: Callable[[_Cell], bool], reason: str) -> None:
        events: Events = []
        with self._state:
            for id, conversation in self._conversations.items():
                for cell in [c for c in conversation.cells.values() if condition(c)]:
                    del conversation.cells[cell.command.cell_id]
                    events += _finished(id, cell, "not_run", reason, conversation.language)
        self._tell(events)

    def _tell(self, events: Events) -> None:
        for conversation_id, event in events:
            self._publish(conversation_id, event)


def _finished(
    conversation_id: str, cell: _Cell, status: str, reason: str, language: str | None
) -> Events:
    """The end of a cell that the manager did not finish; one that never began begins as well."""
    command = cell.command
    conversation_id = command.answer_to or conversation_id
    finished = CellFinished.model_validate(
        {"cell_id": command.cell_id, "status": status, "reason": reason}
    )
    if cell.started:
        return [(conversation_id, finished)]
    started = CellStarted(
        cell_id=command.cell_id,
        turn_id=command.turn_id,
        code=command.code,
        origin=command.origin,
        after_cell=command.after_cell,
        repaired=command.repaired,
        language=language,
    )
    return [(conversation_id, started), (conversation_id, finished)]
