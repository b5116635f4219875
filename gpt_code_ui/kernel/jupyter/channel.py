"""zmq sockets on an event loop, without a task or a future per message; and the heart's echo."""

import asyncio
import logging
from collections.abc import Callable

import zmq

log = logging.getLogger(__name__)

RECONNECT_MS = 10
RECEIVE_QUEUE = 100_000
BATCH = 64
# A larger one ends the connection, which is made again.
LARGEST_BYTES = 512 << 20
HEARTBEAT_S = 2.5
MISSED_BEATS = 2


def open_socket(
    context: "zmq.Context[zmq.Socket[bytes]]", kind: int, address: str, identity: bytes = b""
) -> "zmq.Socket[bytes]":
    """A socket that connects as soon as somebody listens, never blocks and drops nothing early."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    socket.setsockopt(zmq.RCVHWM, RECEIVE_QUEUE)
    socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_BYTES)
    socket.setsockopt(zmq.SNDTIMEO, 0)
    if kind == zmq.SUB:
        socket.setsockopt(zmq.SUBSCRIBE, b"")
    elif identity:
        socket.setsockopt(zmq.IDENTITY, identity)
    socket.connect(address)
    return socket


class Channel:
    """A zmq socket whose messages are read as soon as the loop hears of them."""

    def __init__(self, socket: "zmq.Socket[bytes]", receive: Callable[[list[bytes]], None]) -> None:
        self.socket = socket
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._fd = socket.fileno()
        self._loop.add_reader(self._fd, self.read)

    def read(self) -> None:
        """Take what there is. The descriptor tells of a change once only: read until it is dry."""
        for _ in range(BATCH):
            if self.socket.closed:
                return
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._receive(parts)
            except Exception:
                # Whatever it was: unread, the rest would lie here for ever, and grow.
                log.exception("a message of the kernel could not be taken")
        self._loop.call_soon(self.read)

    def wake(self) -> None:
        """After a send: it may have swallowed the news of a message that came."""
        self._loop.call_soon(self.read)

    def close(self) -> None:
        """Forget what was not sent."""
        if not self.socket.closed:
            self._loop.remove_reader(self._fd)
            self.socket.close(linger=0)


class Heart:
    """Asks the kernel's echo socket while a cell runs: a stopped process sends no signal."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", address: str) -> None:
        self._context = context
        self._address = address
        self._channel: Channel | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._missed = 0
        self._on_change: Callable[[bool], None] = lambda beats: None

    def watch(self, on_change: Callable[[bool], None]) -> None:
        """Tell when the echo fails to come, and when it comes again."""
        self._on_change = on_change
        self._missed = 0
        self._schedule()

    def _schedule(self) -> None:
        self.rest()
        self._timer = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat)

    def _beat(self) -> None:
        if self._channel is None:
            socket = open_socket(self._context, zmq.DEALER, self._address)
            self._channel = Channel(socket, self._on_echo)
        else:
            self._missed += 1
            if self._missed == MISSED_BEATS:
                self._on_change(False)
        if self._missed < 10 * MISSED_BEATS:
            self._channel.socket.send_multipart([b"", b"ping"])
            self._channel.wake()
        self._schedule()

    def _on_echo(self, _parts: list[bytes]) -> None:
        missed, self._missed = self._missed, -1
        if missed >= MISSED_BEATS:
            self._on_change(True)

    def rest(self) -> None:
        """Nothing needs to be watched."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Rest for ever."""
        self.rest()
        if self._channel is not None:
            self._channel.close()
