"""The proxy's end inside a cage: whoever connects here is passed on to the manager's socket.

Runs as ``python -I -S forwarder.py PORT SOCKET`` with the standard library alone, beside the
kernel. It decides nothing: code may end it, and has no network then, or use the socket itself.
"""

import os
import select
import socket
import sys

CHUNK = 64 * 1024
MOST_AT_ONCE = 300
HOST = "127.0.0.1"


class Side:
    """One socket of a connection, and what waits to be written to it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting = b""
        self.read_over = self.write_over = False
        self.other: Side = self

    def events(self) -> int:
        """What to wait for: it reads only while its other side keeps up."""
        wanted = 0
        if not self.read_over and not self.other.waiting:
            wanted |= select.POLLIN
        if self.waiting:
            wanted |= select.POLLOUT
        return wanted

    def read(self) -> None:
        """Take what came for the other side. Raises OSError."""
        data = self.sock.recv(CHUNK)
        if data:
            self.other.waiting = data
            self.other.write()
        else:
            self.read_over = True
            self.other.finish()

    def write(self) -> None:
        """Give what fits. Raises OSError."""
        try:
            self.waiting = self.waiting[self.sock.send(self.waiting) :]
        except BlockingIOError:
            return
        self.finish()

    def finish(self) -> None:
        """Say that no more will come, when all is given."""
        if self.other.read_over and not self.waiting and not self.write_over:
            self.write_over = True
            self.sock.shutdown(socket.SHUT_WR)


class Forwarder:
    """Every connection, on one thread."""

    def __init__(self, port: int, path: str) -> None:
        """Listen. Raises OSError."""
        self._path = path
        self._server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._server.bind((HOST, port))
        self._server.listen(128)
        self._server.setblocking(False)
        self._sides: dict[int, Side] = {}

    def run(self) -> None:
        """Pass on for ever."""
        while True:
            poll = select.poll()
            if len(self._sides) < 2 * MOST_AT_ONCE:
                poll.register(self._server, select.POLLIN)
            for handle, side in self._sides.items():
                poll.register(handle, side.events())
            for handle, event in poll.poll():
                if handle == self._server.fileno():
                    self._accept()
                elif handle in self._sides:
                    self._move(self._sides[handle], event)

    def _accept(self) -> None:
        try:
            client = self._server.accept()[0]
        except OSError:
            return
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            manager.connect(self._path)
        except OSError:
            client.close()
            manager.close()
            return
        here, there = Side(client), Side(manager)
        here.other, there.other = there, here
        for side in (here, there):
            side.sock.setblocking(False)
            self._sides[side.sock.fileno()] = side

    def _move(self, side: Side, event: int) -> None:
        try:
            if event & select.POLLOUT:
                side.write()
            if event & (select.POLLIN | select.POLLHUP | select.POLLERR) and not side.read_over:
                if not side.other.waiting:
                    side.read()
            elif event & (select.POLLHUP | select.POLLERR):
                raise ConnectionResetError
        except BlockingIOError:
            return
        except OSError:
            self._close(side)
            return
        if side.write_over and side.other.write_over:
            self._close(side)

    def _close(self, side: Side) -> None:
        for one in (side, side.other):
            self._sides.pop(one.sock.fileno(), None)
            one.sock.close()


def main(arguments: list[str]) -> int:
    """``PORT SOCKET``; apart from the kernel's session, so that its signals do not come here."""
    os.setsid()
    Forwarder(int(arguments[0]), arguments[1]).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
