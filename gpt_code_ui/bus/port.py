"""The port both processes program against: a pipe of byte messages that survives reconnects.

Within one run a message arrives exactly once and in order, whatever happens to the connection;
bytes in flight are bounded, so a caller feels a slow or absent peer as back-pressure.
"""

from collections.abc import Callable
from typing import Protocol

MAX_MESSAGE_BYTES = 32 * 1024 * 1024
"""The largest body of one message."""

QUEUE_BYTES = 64 * 1024 * 1024
"""What one side may have sent and not yet seen acknowledged."""

Receive = Callable[[bytes], None]
"""Gets one message, on the bus's own thread: it must not block. What it raises is logged."""

PeerChange = Callable[[bool], None]
"""True: an authenticated peer is connected. False: the connection is gone, which says nothing of
the peer's process; what was sent is kept for the next connection of the run. Calls alternate,
beginning with True, on the bus's own thread."""


class Bus(Protocol):
    """One end of the pipe. All of it may be used from any thread."""

    def send(self, body: bytes, *, timeout: float = 5.0) -> None:
        """Take ``body`` for delivery and return; a peer need not be there yet.

        Waits up to ``timeout`` seconds for room, but never on the bus's own thread.
        Raises QueueFull when there is still none, MessageTooLarge over MAX_MESSAGE_BYTES, and
        BusError once the bus is closed.
        """

    def close(self) -> None:
        """End the bus and its thread; a connected peer gets a moment to take what was sent,
        and what a peer that is gone had still sent is received.

        May be called again and from a callback; no callback runs after it has returned, unless
        it was called from one.
        """

    @property
    def connected(self) -> bool:
        """Whether an authenticated peer is connected now."""
