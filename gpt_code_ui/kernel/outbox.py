"""Events on their way to the web process: in order, and never in the way of the event loop.

Where the bus is full they wait here and ``congested`` asks the cells to hold theirs back, which
they do in bounded memory.
"""

import asyncio
import logging
from collections import deque

from pydantic import TypeAdapter

from gpt_code_ui.bus import Bus
from gpt_code_ui.errors import BusError, KernelError, MessageTooLarge, QueueFull
from gpt_code_ui.protocol import CellOutput, DisplayDataOutput, Event, EventMessage, QueryAnswered

log = logging.getLogger(__name__)

RETRY_S = 0.05
_adapter: TypeAdapter[EventMessage] = TypeAdapter(EventMessage)


class Outbox:
    """The manager's side of the bus, for what it says. Used by the loop's thread alone."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[bytes] = deque()

    @property
    def congested(self) -> bool:
        """Whether the web process does not take what was sent before."""
        return bool(self._waiting)

    def send(self, conversation_id: str, event: Event | QueryAnswered) -> None:
        """Send, or keep to send as soon as there is room."""
        body = _adapter.dump_json(EventMessage(conversation_id=conversation_id, event=event))
        if self._waiting:
            self._waiting.append(body)
            return
        try:
            self._try(body)
        except MessageTooLarge as error:
            self._send_note(conversation_id, event, str(error))

    def _try(self, body: bytes) -> None:
        try:
            self._bus.send(body, timeout=0)
        except QueueFull:
            self._waiting.append(body)
            asyncio.get_running_loop().call_later(RETRY_S, self._retry)
        except MessageTooLarge:
            raise
        except BusError as error:
            log.debug("an event was lost with the bus: %s", error)

    def _retry(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        while waiting and not self._waiting:
            try:
                self._try(waiting.popleft())
            except MessageTooLarge as error:
                log.warning("an event was lost: %s", error)
        self._waiting.extend(waiting)

    def _send_note(self, conversation_id: str, event: Event | QueryAnswered, why: str) -> None:
        if isinstance(event, QueryAnswered):
            error = KernelError(f"The answer is too large: {why}").body()
            self.send(conversation_id, QueryAnswered(query_id=event.query_id, error=error))
            return
        if not isinstance(event, CellOutput):
            log.warning("an event of type %s was lost: %s", event.type, why)
            return
        note = DisplayDataOutput(data={"text/plain": f"[An output was left out. {why}]"})
        self.send(conversation_id, CellOutput(cell_id=event.cell_id, output=note))
