"""Exactly once, in order, over connections that break: numbers, acknowledgements, resending.

A sender keeps every message until the peer says it was received; after a reconnect both sides
tell each other where they stand (``Resume``) and what is missing is sent again. No I/O here.
Cumulative acknowledgement and its delay are TCP's (RFC 9293, section 3.8.6.3).
"""

import secrets
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from gpt_code_ui.bus.port import MAX_MESSAGE_BYTES, QUEUE_BYTES
from gpt_code_ui.errors import BusError, MessageTooLarge, QueueFull

EPOCH_BYTES = 16
NO_EPOCH = bytes(EPOCH_BYTES)
MESSAGE_OVERHEAD = 128
"""Bytes a queued message costs beside its body, so that empty ones are bounded as well."""

ACK_EVERY_MESSAGES = 64
ACK_EVERY_BYTES = 1024 * 1024


class Numbered(NamedTuple):
    """A message and its number; numbers begin at 1 and have no holes."""

    seq: int
    body: bytes


class Resume(NamedTuple):
    """Where one side stands when a connection opens.

    ``epoch`` is this side's life, ``known`` the life of the peer that ``received`` counts, and
    ``first`` the number of the oldest message this side still keeps.
    """

    epoch: bytes
    known: bytes
    received: int
    first: int

    def pack(self) -> bytes:
        return _RESUME.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> "Resume":
        """Raises ValueError for anything that is not a packed Resume."""
        if len(data) != _RESUME.size:
            raise ValueError(f"a resume has {_RESUME.size} bytes, not {len(data)}")
        return cls(*_RESUME.unpack(data))


_RESUME = struct.Struct(f"!{EPOCH_BYTES}s{EPOCH_BYTES}sQQ")


class Outbox:
    """What was sent and is not acknowledged yet. Thread-safe, bounded in bytes."""

    def __init__(self, capacity: int = QUEUE_BYTES) -> None:
        self.epoch = secrets.token_bytes(EPOCH_BYTES)
        self._capacity = capacity
        self._changed = threading.Condition()
        self._unsent: deque[Numbered] = deque()
        self._unacked: deque[Numbered] = deque()
        self._last_seq = 0
        self._bytes = 0
        self._closed = False

    def put(self, body: bytes, timeout: float) -> None:
        """Number ``body`` and keep it. Errors as in ``Bus.send``."""
        if len(body) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(
                f"A message of {len(body)} bytes is over the limit of {MAX_MESSAGE_BYTES}."
            )
        cost = _cost(body)
        with self._changed:
            room = self._changed.wait_for(
                lambda: self._closed or self._bytes + cost <= self._capacity, max(0.0, timeout)
            )
            if self._closed:
                raise BusError("The bus is closed.")
            if not room:
                raise QueueFull("The peer has not taken what was sent before.")
            self._last_seq += 1
            self._bytes += cost
            self._unsent.append(Numbered(self._last_seq, body))

    def take(self) -> Numbered | None:
        """The next message for the present connection, kept until it is acknowledged."""
        with self._changed:
            if not self._unsent:
                return None
            message = self._unsent.popleft()
            self._unacked.append(message)
            return message

    def acknowledge(self, seq: int) -> None:
        """Forget every message on this connection up to number ``seq``."""
        with self._changed:
            self._drop(self._unacked, seq)

    def resume(self, received: int) -> None:
        """Begin a new connection to a peer that has everything up to ``received``."""
        with self._changed:
            self._unsent.extendleft(reversed(self._unacked))
            self._unacked.clear()
            self._drop(self._unsent, received)

    @property
    def first(self) -> int:
        """The number of the oldest message kept, or the next number when none is."""
        with self._changed:
            for messages in (self._unacked, self._unsent):
                if messages:
                    return messages[0].seq
            return self._last_seq + 1

    def close(self) -> None:
        """Refuse further messages and release whoever waits for room. What is kept stays."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def settle(self, timeout: float, hopeless: Callable[[], bool]) -> None:
        """Wait until everything is acknowledged, it is ``hopeless``, or ``timeout`` passed."""
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._unsent or self._unacked) or hopeless(), timeout
            )

    def wake(self) -> None:
        """Let ``settle`` look again at whether it is hopeless."""
        with self._changed:
            self._changed.notify_all()

    def _drop(self, messages: deque[Numbered], seq: int) -> None:
        dropped = False
        while messages and messages[0].seq <= seq:
            self._bytes -= _cost(messages.popleft().body)
            dropped = True
        if dropped:
            self._changed.notify_all()


class Inbox:
    """What was received: numbers only. Used by one thread."""

    def __init__(self) -> None:
        self.epoch = NO_EPOCH
        self.received = 0
        self._owed_messages = 0
        self._owed_bytes = 0

    def resume(self, epoch: bytes, first: int) -> None:
        """A connection opened to the peer life ``epoch``; a new life begins at ``first``."""
        if epoch != self.epoch:
            self.epoch = epoch
            self.received = first - 1
        self.paid()

    def accept(self, message: Numbered) -> bool:
        """Whether the message is new. Raises ValueError if one before it is missing."""
        if message.seq > self.received + 1:
            raise ValueError(f"message {message.seq} came after {self.received}")
        self._owed_messages += 1
        self._owed_bytes += len(message.body)
        if message.seq <= self.received:
            return False
        self.received = message.seq
        return True

    @property
    def owes(self) -> bool:
        """Whether something was received that the peer has not been told about."""
        return self._owed_messages > 0

    @property
    def overdue(self) -> bool:
        """Whether so much is owed that the peer should be told without waiting."""
        return self._owed_messages >= ACK_EVERY_MESSAGES or self._owed_bytes >= ACK_EVERY_BYTES

    def paid(self) -> int:
        """The acknowledgement to send now; nothing is owed after it."""
        self._owed_messages = self._owed_bytes = 0
        return self.received


def _cost(body: bytes) -> int:
    return len(body) + MESSAGE_OVERHEAD
