"""Real parts around a bus under test: an ear to wait on, a line that breaks, a stranger."""

import contextlib
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from gpt_code_ui.bus import SnakeBus
from gpt_code_ui.bus.auth import Handshake
from gpt_code_ui.bus.messaging import DATA, RESUME
from gpt_code_ui.bus.reliable import EPOCH_BYTES, NO_EPOCH, Resume

DEADLINE_S = 20.0
KEY = bytes(range(32))
RUN = "r1"
VERSION_FRAME = struct.pack("!BI", 0, 1)
ABORT = struct.pack("ii", 1, 0)


def numbered(count: int, size: int = 8) -> list[bytes]:
    return [b"%08d" % n + bytes(size - 8) for n in range(count)]


class Ear:
    """The callbacks of one end, and what they heard."""

    def __init__(self, answer: Callable[[bytes], None] | None = None) -> None:
        self.messages: list[bytes] = []
        self.peers: list[bool] = []
        self.answer = answer
        self._heard = threading.Condition()

    def receive(self, body: bytes) -> None:
        with self._heard:
            self.messages.append(body)
            self._heard.notify_all()
        if self.answer is not None:
            self.answer(body)

    def peer(self, present: bool) -> None:
        with self._heard:
            self.peers.append(present)
            self._heard.notify_all()

    def wait(self, condition: Callable[[Self], bool], timeout: float = DEADLINE_S) -> None:
        with self._heard:
            met = self._heard.wait_for(lambda: condition(self), timeout)
        assert met, f"waited {timeout} s; {len(self.messages)} messages, peers {self.peers}"

    def wait_messages(self, count: int, timeout: float = DEADLINE_S) -> list[bytes]:
        self.wait(lambda ear: len(ear.messages) >= count, timeout)
        return self.messages

    def wait_peer(self, present: bool, timeout: float = DEADLINE_S) -> None:
        self.wait(lambda ear: ear.peers[-1:] == [present], timeout)


def listen(ear: Ear, address: str | None) -> SnakeBus:
    return SnakeBus.listen(
        address=address, run_id=RUN, key=KEY, on_receive=ear.receive, on_peer=ear.peer
    )


def connect(ear: Ear, address: str, key: bytes = KEY) -> SnakeBus:
    return SnakeBus.connect(
        address=address, run_id=RUN, key=key, on_receive=ear.receive, on_peer=ear.peer
    )


def plain_socket(address: str) -> tuple[socket.socket, str | tuple[str, int]]:
    """An unconnected blocking socket for a bus address, and that address for it."""
    if Path(address).is_absolute():
        return socket.socket(socket.AF_UNIX), address
    host, _, port = address.rpartition(":")
    return socket.socket(socket.AF_INET), (host, int(port))


def abort(sock: socket.socket) -> None:
    """Close with a reset where the family has one."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    sock.close()


class BreakingLine:
    """Stands between two ends and forwards, but may break, repeat or change what it carries.

    ``budgets`` are the bytes after which each connection in turn is aborted; ``meddle`` gets
    every piece that goes to the listener and returns what to forward in its place.
    """

    def __init__(
        self,
        target: str,
        address: str,
        budgets: list[int] | None = None,
        meddle: Callable[[bytes], bytes] = lambda data: data,
    ) -> None:
        self.connections = 0
        self._target = target
        self._budgets = budgets or []
        self._meddle = meddle
        self._listener, where = plain_socket(address)
        self._listener.bind(where)
        self._listener.listen()
        name = self._listener.getsockname()
        self.address = name if isinstance(name, str) else f"{name[0]}:{name[1]}"
        self._stop_r, self._stop_w = socket.socketpair()
        self._ways: dict[socket.socket, socket.socket] = {}
        self._inward: set[socket.socket] = set()
        self._left: dict[socket.socket, int] = {}
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="breaking-line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_w.send(b".")
        self._thread.join(DEADLINE_S)
        for sock in (*self._ways, self._listener, self._stop_r, self._stop_w):
            sock.close()
        self._selector.close()

    def _run(self) -> None:
        for sock in (self._listener, self._stop_r):
            self._selector.register(sock, selectors.EVENT_READ, sock)
        while True:
            for key, _ in self._selector.select():
                ready: socket.socket = key.data
                if ready is self._stop_r:
                    return
                if ready is self._listener:
                    self._accept()
                elif ready in self._ways:
                    self._forward(ready)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far, where = plain_socket(self._target)
        try:
            far.connect(where)
        except OSError:
            near.close()
            far.close()
            return
        self._ways |= {near: far, far: near}
        self._inward.add(near)
        if self.connections < len(self._budgets):
            self._left[near] = self._left[far] = self._budgets[self.connections]
        self.connections += 1
        for sock in (near, far):
            self._selector.register(sock, selectors.EVENT_READ, sock)

    def _forward(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
            if sock in self._inward and data:
                data = self._meddle(data)
            self._ways[sock].sendall(data[: self._left.get(sock, len(data))])
        except OSError:
            data = b""
        if sock in self._left:
            left = self._left[sock] - len(data)
            self._left[sock] = self._left[self._ways[sock]] = max(0, left)
        if not data or self._left.get(sock) == 0:
            self._break(sock)

    def _break(self, sock: socket.socket) -> None:
        for end in (sock, self._ways[sock]):
            self._selector.unregister(end)
            self._ways.pop(end)
            self._inward.discard(end)
            self._left.pop(end, None)
            abort(end)


class Stranger:
    """A hand-made client: bytes and frames, right or wrong, without any of the bus's link."""

    def __init__(self, address: str) -> None:
        self.sock, where = plain_socket(address)
        self.sock.connect(where)
        self.sock.settimeout(DEADLINE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *frames: bytes) -> None:
        """All frames as packets in one write."""
        self.send_raw(b"".join(struct.pack("!I", len(frame)) + frame for frame in frames))

    def send_raw(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)

    def read_frame(self) -> bytes:
        (size,) = struct.unpack("!I", self._read(4))
        return self._read(size)

    def wait_closed(self, timeout: float = DEADLINE_S) -> float:
        """Read to the end; returns the seconds it took."""
        began = time.monotonic()
        self.sock.settimeout(timeout)
        with contextlib.suppress(ConnectionResetError):
            while self.sock.recv(65536):
                pass
        return time.monotonic() - began

    def prove(self, key: bytes = KEY) -> "Proven":
        """Go through the handshake as the kernel's side, up to the resume."""
        assert self.read_frame() == VERSION_FRAME
        nonce = self.read_frame()[1:]
        handshake = Handshake(key=key, own=f"kernel-{RUN}", peer=f"web-{RUN}")
        identification = handshake.challenge(nonce)
        self.send(VERSION_FRAME, b"\x40" + handshake.nonce, b"\x02" + identification)
        return Proven(handshake)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


class Proven:
    """Seals frames for a connection whose key is known."""

    def __init__(self, handshake: Handshake) -> None:
        self._outgoing, _ = handshake.seals()

    def resume(self) -> bytes:
        resume = Resume(os.urandom(EPOCH_BYTES), NO_EPOCH, 0, 1)
        return self.frame(RESUME, 0, resume.pack())

    def message(self, seq: int, body: bytes) -> bytes:
        return self.frame(DATA, seq, body)

    def frame(self, kind: int, seq: int, body: bytes) -> bytes:
        header = struct.pack("!BQQII", 3, seq, 0, 0xFFFFFFFF, kind)
        return header + self._outgoing.next(header, body) + body
