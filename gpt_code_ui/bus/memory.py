"""The bus without processes: both ends in one, with the real one's promises and errors.

For tests of what stands above the bus. ``sever`` and ``mend`` break the connection and bring it
back, as the real one's reconnect does.
"""

import logging
import queue
import threading
from enum import Enum, auto

from gpt_code_ui.bus.port import QUEUE_BYTES, PeerChange, Receive
from gpt_code_ui.bus.reliable import Outbox

log = logging.getLogger(__name__)

SETTLE_S = 0.25
JOIN_S = 2.0


class _Sign(Enum):
    """What an end's thread is told to do next."""

    MENDED = auto()
    SEVERED = auto()
    LOOK = auto()
    END = auto()


class MemoryBus:
    """One end of a ``memory_pair``; a ``Bus``."""

    def __init__(self, name: str, on_receive: Receive, on_peer: PeerChange, capacity: int) -> None:
        self._on_receive, self._on_peer = on_receive, on_peer
        self._outbox = Outbox(capacity)
        self._signs: queue.SimpleQueue[_Sign] = queue.SimpleQueue()
        self._connected = False
        self._other: MemoryBus | None = None
        self._thread = threading.Thread(target=self._run, name=f"bus-{name}", daemon=True)

    @property
    def connected(self) -> bool:
        return self._connected

    def send(self, body: bytes, *, timeout: float = 5.0) -> None:
        """As ``Bus.send``."""
        self._outbox.put(body, 0.0 if self._on_own_thread() else timeout)
        self._tell_other(_Sign.LOOK)

    def close(self) -> None:
        """As ``Bus.close``."""
        self._outbox.close()
        if not self._on_own_thread():
            self._outbox.settle(SETTLE_S, hopeless=lambda: not self._connected)
        self._tell_other(_Sign.SEVERED)
        self._signs.put(_Sign.SEVERED)
        self._signs.put(_Sign.END)
        if not self._on_own_thread():
            self._thread.join(JOIN_S)

    def sever(self) -> None:
        """Break the connection of both ends; what is sent meanwhile is kept."""
        self._tell_both(_Sign.SEVERED)

    def mend(self) -> None:
        """Connect both ends again."""
        self._tell_both(_Sign.MENDED)

    def attach(self, other: "MemoryBus") -> None:
        """Name the other end and begin, not connected yet."""
        self._other = other
        self._thread.start()

    def _run(self) -> None:
        while (sign := self._signs.get()) is not _Sign.END:
            try:
                self._follow(sign)
            except Exception:
                log.exception("a bus callback failed")

    def _follow(self, sign: _Sign) -> None:
        present = self._connected if sign is _Sign.LOOK else sign is _Sign.MENDED
        if present != self._connected:
            self._connected = present
            self._outbox.wake()
            if present:
                self._signs.put(_Sign.LOOK)
            self._on_peer(present)
        elif present and self._other is not None:
            self._receive_from(self._other._outbox)

    def _receive_from(self, outbox: Outbox) -> None:
        while (message := outbox.take()) is not None:
            outbox.acknowledge(message.seq)
            try:
                self._on_receive(message.body)
            except Exception:
                log.exception("a bus callback failed")

    def _tell_both(self, sign: _Sign) -> None:
        self._signs.put(sign)
        self._tell_other(sign)

    def _tell_other(self, sign: _Sign) -> None:
        if self._other is not None:
            self._other._signs.put(sign)

    def _on_own_thread(self) -> bool:
        return threading.current_thread() is self._thread


def memory_pair(
    web: tuple[Receive, PeerChange],
    kernel: tuple[Receive, PeerChange],
    *,
    capacity: int = QUEUE_BYTES,
) -> tuple[MemoryBus, MemoryBus]:
    """Two connected ends, (web's, kernel's); ``capacity`` is QUEUE_BYTES of each."""
    ends = (MemoryBus("web", *web, capacity), MemoryBus("kernel", *kernel, capacity))
    for end, other in (ends, ends[::-1]):
        end.attach(other)
    ends[0].mend()
    return ends
