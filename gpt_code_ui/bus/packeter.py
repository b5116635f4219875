"""snakeMQ's packets (4 bytes of size, then a frame), bounded and with a body copied only once.

A packet's announced size is checked before a byte of it is kept: little from a stranger, a whole
message from a peer that has proven itself.
"""

import logging
import struct
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from gpt_code_ui.bus.link import SafeLink
from gpt_code_ui.bus.vendor import NoConnection, Packeter, SnakeMQBrokenMessage, SnakeMQException

log = logging.getLogger(__name__)

STRANGER_PACKET_BYTES = 4096
WRITE_BYTES = 256 * 1024
JOIN_BELOW_BYTES = 16 * 1024
FLUSH_BYTES = 4 * 1024 * 1024
"""What is written to one connection before the others are looked at."""

_SIZE = struct.Struct("!I")


class Packet(NamedTuple):
    """A received frame, split behind its first ``head_bytes`` bytes."""

    head: bytes
    body: bytes


class PacketReader:
    """Bytes as they come in, packets out."""

    def __init__(self, head_bytes: int) -> None:
        self.limit = STRANGER_PACKET_BYTES
        self._head_bytes = head_bytes
        self._parts: deque[bytes] = deque()
        self._offset = 0  # into the first part
        self._size = 0
        self._expected: int | None = None

    def put(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)

    def packets(self) -> Iterator[Packet]:
        """The packets that are whole. Raises SnakeMQBrokenMessage on a size out of bounds.

        ``limit`` may change between two packets: the next one is held to the new value.
        """
        while (expected := self._next_size()) is not None and self._size >= expected:
            self._expected = None
            head = self._take(min(expected, self._head_bytes))
            yield Packet(head, self._take(expected - len(head)))

    def _next_size(self) -> int | None:
        if self._expected is None and self._size >= _SIZE.size:
            (size,) = _SIZE.unpack(self._take(_SIZE.size))
            if not 0 < size <= self.limit:
                raise SnakeMQBrokenMessage(f"a packet of {size} bytes, {self.limit} are allowed")
            self._expected = size
        return self._expected

    def _take(self, size: int) -> bytes:
        if not size:
            return b""
        self._size -= size
        first, start = self._parts[0], self._offset
        end = start + size
        if end < len(first):
            self._offset = end
            return first[start:end]
        return self._take_across(size)

    def _take_across(self, size: int) -> bytes:
        pieces: list[memoryview] = []
        while size:
            piece = memoryview(self._parts[0])[self._offset : self._offset + size]
            pieces.append(piece)
            size -= len(piece)
            self._offset += len(piece)
            if self._offset == len(self._parts[0]):
                self._parts.popleft()
                self._offset = 0
        return b"".join(pieces)


class PacketWriter:
    """Bytes that are to go out, large ones as they are, small ones joined."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: deque[memoryview] = deque()

    def put(self, part: bytes) -> None:
        self._parts.append(memoryview(part))
        self.size += len(part)

    def block(self) -> bytes | memoryview:
        """The next bytes to write, not yet taken out."""
        first = self._parts[0]
        if len(self._parts) == 1 or len(first) >= JOIN_BELOW_BYTES:
            return first[:WRITE_BYTES]
        joined: list[memoryview] = []
        size = 0
        for part in self._parts:
            joined.append(part[: WRITE_BYTES - size])
            size += len(joined[-1])
            if size >= WRITE_BYTES or len(part) >= JOIN_BELOW_BYTES:
                break
        return b"".join(joined)

    def advance(self, size: int) -> None:
        """Take out what was written."""
        self.size -= size
        while size:
            first = self._parts[0]
            if len(first) > size:
                self._parts[0] = first[size:]
                return
            size -= len(first)
            self._parts.popleft()


class Channel(NamedTuple):
    """The two directions of one connection."""

    reader: PacketReader
    writer: PacketWriter


class SafePacketer(Packeter):
    """Frames over a SafeLink; a connection that breaks the format is closed."""

    def __init__(self, link: SafeLink, head_bytes: int) -> None:
        super().__init__(link)
        self.link = link
        self._head_bytes = head_bytes
        self._connections: dict[str, Channel] = {}

    def trust(self, conn_id: str, packet_bytes: int) -> None:
        """Let the connection's packets have up to ``packet_bytes``."""
        self._channel(conn_id).reader.limit = packet_bytes

    def backlog(self, conn_id: str) -> int:
        """Bytes the socket has not taken yet. Raises NoConnection."""
        return self._channel(conn_id).writer.size

    def queue_packet(self, conn_id: str, head: bytes, body: bytes = b"") -> None:
        """Add a packet to what ``flush`` will write; a large body is not copied."""
        writer = self._channel(conn_id).writer
        head = _SIZE.pack(len(head) + len(body)) + head
        if len(body) < JOIN_BELOW_BYTES:
            writer.put(head + body)
        else:
            writer.put(head)
            writer.put(body)

    def send_packet(self, conn_id: str, buf: bytes) -> None:
        """Queue and flush. Raises NoConnection."""
        self.queue_packet(conn_id, buf)
        self.flush(conn_id)

    def flush(self, conn_id: str) -> None:
        """Write what the socket takes now; the rest follows when it can. Raises NoConnection."""
        writer = self._channel(conn_id).writer
        written = 0
        while writer.size and written < FLUSH_BYTES:
            block = writer.block()
            sent = self.link.send(conn_id, block)
            writer.advance(sent)
            written += sent
            if sent < len(block):
                break
        self.link.await_room(conn_id, writer.size > 0)

    def _channel(self, conn_id: str) -> Channel:
        channel = self._connections.get(conn_id)
        if channel is None:
            raise NoConnection(conn_id)
        return channel

    def _on_connect(self, conn_id: str) -> None:
        self._connections[conn_id] = Channel(PacketReader(self._head_bytes), PacketWriter())
        self.on_connect(conn_id)

    def _on_disconnect(self, conn_id: str) -> None:
        if self._connections.pop(conn_id, None) is not None:
            self.on_disconnect(conn_id)

    def _on_recv(self, conn_id: str, data: bytes) -> None:
        channel = self._connections.get(conn_id)
        if channel is None:
            return
        channel.reader.put(data)
        try:
            for packet in channel.reader.packets():
                self.on_packet_recv(conn_id, packet)
                if conn_id not in self._connections:
                    return
        except NoConnection:
            pass
        except SnakeMQException as exc:
            log.warning("bus connection %s closed: %s", conn_id, exc)
            self.link.close(conn_id)
        except Exception:
            log.exception("bus connection %s closed", conn_id)
            self.link.close(conn_id)

    def _on_ready_to_send(self, conn_id: str, _sent: int) -> None:
        try:
            self.flush(conn_id)
        except NoConnection:
            log.debug("bus connection %s is gone", conn_id)
