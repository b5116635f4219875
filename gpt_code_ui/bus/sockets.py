"""Where the bus listens: a Unix socket in a private folder, else loopback TCP.

An address is text that can be handed to another process: an absolute path, or "127.0.0.1:port".
Only our own user gets through: by the folder's mode and, where the system tells, by the peer's uid.
"""

import contextlib
import errno
import os
import socket
import stat
import struct
from abc import abstractmethod
from pathlib import Path

from gpt_code_ui.bus.vendor import LinkSocket
from gpt_code_ui.errors import BusError

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
"""Room for a crowd: over it the system drops a connect, and the peer's next try is a second off."""

_PEER_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class BusSocket(LinkSocket):
    """A LinkSocket that can be closed at any time and dialled again and again."""

    def __init__(self, address: str, sock: socket.socket | None = None) -> None:
        super().__init__(sock or self.create_socket(), remote_peer=address)
        self.awaits_room = False

    @abstractmethod
    def create_socket(self) -> socket.socket:
        """A fresh, non-blocking socket."""

    @abstractmethod
    def listen(self) -> str:
        """Bind and listen; returns the address to hand out. Raises BusError or OSError."""

    @abstractmethod
    def dial(self) -> int:
        """``connect_ex`` to the address."""

    def connect(self) -> int:
        """Begin to connect: 0, EINPROGRESS, or ECONNREFUSED for every failure."""
        self.is_connector = True
        if self.fileno() < 0:
            self.sock = self.create_socket()
        result = self.dial()
        return result if result in (0, errno.EINPROGRESS) else errno.ECONNREFUSED

    def accept(self) -> tuple["BusSocket", str]:
        """The next connection. Raises PermissionError for another user's, OSError as accept()."""
        sock, _ = self.sock.accept()
        sock.setblocking(False)
        accepted = type(self)(self.remote_peer, sock)
        try:
            accepted.vet()
        except OSError:
            accepted.close()
            raise
        return accepted, self.remote_peer

    def vet(self) -> None:
        """Look at a fresh connection. Raises PermissionError if it is not our user's."""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.awaits_room = False

    def unpublish(self) -> None:
        """Take away what ``listen`` left in the file system."""


class TcpSocket(BusSocket):
    """Loopback TCP; any local program may connect, so all rests on the key."""

    def create_socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def listen(self) -> str:
        if os.name == "posix":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(_host_and_port(self.remote_peer))
        self.sock.listen(BACKLOG)
        host, port = self.sock.getsockname()
        return f"{host}:{port}"

    def dial(self) -> int:
        result = self.sock.connect_ex(_host_and_port(self.remote_peer))
        # Windows says "would block" where others say "in progress".
        return errno.EINPROGRESS if result == errno.EWOULDBLOCK else result

    def vet(self) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class UnixSocket(BusSocket):
    """A socket file that only its owner can reach."""

    def create_socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        return sock

    def listen(self) -> str:
        path = Path(self.remote_peer)
        _require_private(path.parent)
        self.unpublish()
        self.sock.bind(self.remote_peer)
        path.chmod(0o600)
        self.sock.listen(BACKLOG)
        return self.remote_peer

    def dial(self) -> int:
        return self.sock.connect_ex(self.remote_peer)

    def vet(self) -> None:
        if not hasattr(socket, "SO_PEERCRED"):
            return  # The folder's mode has kept other users out already.
        raw = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        _, uid, _ = _PEER_CREDENTIALS.unpack(raw)
        if uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"the peer runs as user {uid}")

    def unpublish(self) -> None:
        path = Path(self.remote_peer)
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(path.lstat().st_mode):
                path.unlink()


def has_unix_sockets() -> bool:
    """Whether Unix sockets with meaningful folder modes can be had here."""
    return os.name == "posix" and hasattr(socket, "AF_UNIX")


def socket_for(address: str) -> BusSocket:
    """An unconnected socket for ``address``. Raises BusError if it is none we use."""
    if Path(address).is_absolute():
        if not has_unix_sockets():
            raise BusError("This system has no Unix sockets.", hint="Use loopback TCP.")
        return UnixSocket(address)
    _host_and_port(address)
    return TcpSocket(address)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if host != LOOPBACK or not port.isdecimal() or int(port) > 65535:
        raise BusError(f"{address!r} is neither an absolute path nor {LOOPBACK}:port.")
    return host, int(port)


def _require_private(folder: Path) -> None:
    found = folder.stat()
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise BusError(
            f"Other users can reach {folder}.", hint="Use a folder of your own with mode 0700."
        )
