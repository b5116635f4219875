"""The HTTP server: cheroot, held to what a local product with many open streams needs.

A connection costs a thread only while a request is being read or answered; one that is silent or
drips its headers is dropped; a body that was not read never makes the server wait. Stopping ends
every stream at once: whoever owns them closes them first, sockets are closed after that.
"""

import errno
import json
import logging
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

from cheroot.makefile import StreamReader, StreamWriter
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

from gpt_code_ui.errors import UsageError

log = logging.getLogger(__name__)

BACKLOG = 512
THREADS_MIN = 8
THREADS_MAX = 640
THREAD_IDLE_S = 30.0
CONNECTIONS_MAX = 900
HEADERS_MAX = 64 * 1024
HEADERS_S = 10.0
# How often silent connections are looked for.
LOOK_AROUND_S = 5.0
# Between two pieces of a body, and for a reader to take what is sent.
SILENCE_S = 30.0
# What is read and thrown away of a body that was refused, so that the client hears why.
LINGER_BYTES = 1024 * 1024
LINGER_S = 1.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; connections wait in it until the server serves. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it: an event leaves at once, not with the next one.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((host.strip("[]"), port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} is in use", hint="choose another with --port, or --port 0 for any"
            ) from error
        raise UsageError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return sock


class HttpServer:
    """Serves a WSGI application on a listening socket, from its own thread."""

    def __init__(self, sock: socket.socket, app: Callable[..., Any]) -> None:
        self._listening = sock
        self._server = _Server(sock, app)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Answer from now on, first of all what waits in the socket."""
        self._server.prepare()
        self._thread.start()

    def stop(self, timeout: float = 1.5) -> None:
        """Close every connection and end every thread; harmless when it never started."""
        self._server.shutdown_timeout = timeout
        self._server.end_loop()
        self._server.stop()
        self._listening.close()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _serve(self) -> None:
        self._server.serve()


class _Request(HTTPRequest):
    """Failures of the protocol itself in the one error shape, and no waiting for unread bodies."""

    def parse_request(self) -> None:
        """Request line and headers, all of them within ``HEADERS_S``."""
        self.conn.limit_all(HEADERS_S)
        super().parse_request()
        self.conn.limit_silence()

    def simple_response(self, status: str, msg: str = "") -> None:
        """Answer what never reached the application."""
        code = {"408": "timeout", "413": "too_large", "414": "too_large"}.get(str(status)[:3])
        body = {"code": code or "malformed", "message": msg or str(status), "retryable": False}
        content = json.dumps({"error": body}).encode()
        self.close_connection = True
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nX-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n\r\n"
        )
        self.conn.wfile.write(head.encode("latin-1", "replace") + content)

    def send_headers(self) -> None:
        """A body the application did not want ends the connection, whatever its length."""
        if self.unread_body():
            self.close_connection = True
            self.conn.linger_for_client = True
        super().send_headers()

    def unread_body(self) -> bool:
        """Whether some of the request's body is still on its way."""
        if self.chunked_read:
            return not getattr(self.rfile, "closed", False)
        return bool(getattr(self.rfile, "remaining", 0))


class _Reader(StreamReader):
    """The reading side of a connection, under a deadline while it reads headers."""

    def __init__(self, sock: socket.socket, bufsize: int) -> None:
        # Past StreamReader's own constructor, which would read from a plain SocketIO.
        super(StreamReader, self).__init__(_DeadlineIO(sock, "rb"), bufsize)
        self.bytes_read = 0


def _make_file(sock: socket.socket, mode: str, bufsize: int) -> Any:
    return _Reader(sock, bufsize) if "r" in mode else StreamWriter(sock, mode, bufsize)


class _DeadlineIO(socket.SocketIO):
    """Socket reads that end at ``deadline`` (monotonic seconds) if there is one."""

    deadline: float | None = None

    def __init__(self, sock: socket.socket, mode: Any) -> None:
        super().__init__(sock, mode)
        self._timed = sock

    def readinto(self, buffer: Any) -> int | None:
        if self.deadline is None:
            self._timed.settimeout(SILENCE_S)
        else:
            self._timed.settimeout(max(self.deadline - time.monotonic(), 0.001))
        return super().readinto(buffer)


class _Connection(HTTPConnection):
    """A connection that the server can count, time and cut."""

    RequestHandlerClass = _Request

    def __init__(self, server: "_Server", sock: socket.socket, makefile: Any = None) -> None:
        super().__init__(server, sock, _make_file)
        self.linger_for_client = False
        server.connections.add(self)

    def answer(self) -> bool:
        """Read one request and answer it; True to keep the connection."""
        return bool(self.communicate())  # type: ignore[no-untyped-call]

    def limit_all(self, seconds: float) -> None:
        """Everything that is read from now on has to be there within ``seconds``."""
        self.rfile.raw.deadline = time.monotonic() + seconds

    def limit_silence(self) -> None:
        """From here on only silence is limited, not the whole."""
        self.rfile.raw.deadline = None

    def close(self) -> None:
        """Close; safe to call again."""
        if self not in self.server.connections:
            return
        self.server.connections.discard(self)
        if self.linger_for_client:
            with suppress(OSError):
                self._drain()
        with suppress(OSError):
            super().close()
        # What could not be sent is dropped here: the file's own end would try again, and complain.
        with suppress(OSError):
            self.wfile.close()

    def cut(self) -> None:
        """Wake the thread that reads or writes this connection: there is nothing more to come."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def _drain(self) -> None:
        # Closing with unread data resets the connection, and the client would not hear why.
        self.socket.shutdown(socket.SHUT_WR)
        deadline, left = time.monotonic() + LINGER_S, LINGER_BYTES
        while left > 0 and (remaining := deadline - time.monotonic()) > 0:
            self.socket.settimeout(remaining)
            piece = self.socket.recv(64 * 1024)
            if not piece:
                return
            left -= len(piece)


class _Pool:
    """Threads for requests: as many as are busy, within bounds; idle ones go home."""

    def __init__(self, server: "_Server") -> None:
        self._server = server
        self._queue: queue.SimpleQueue[_Connection | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._free = 0
        self._names = iter(range(1, sys.maxsize))
        self.min = THREADS_MIN

    def start(self) -> None:
        """Called by the server."""
        with self._lock:
            for _ in range(THREADS_MIN):
                self._spawn()

    def put(self, connection: "_Connection") -> None:
        """Have a connection served, by a new thread if none is free."""
        with self._lock:
            self._free -= 1
            if self._free < 0 and len(self._threads) < THREADS_MAX:
                self._spawn()
        self._queue.put(connection)

    def stop(self, timeout: float) -> None:
        """End every thread; what is still being answered after half the time is cut."""
        deadline = time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join(max(deadline - timeout / 2 - time.monotonic(), 0))
        for connection in list(self._server.connections):
            connection.cut()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _spawn(self) -> None:
        name = f"http-{next(self._names)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.add(thread)
        self._free += 1
        thread.start()

    def _work(self) -> None:
        try:
            while (connection := self._take()) is not None:
                self._server.answer(connection)
                with self._lock:
                    self._free += 1
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _take(self) -> "_Connection | None":
        while True:
            try:
                return self._queue.get(timeout=THREAD_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._free > 0 and len(self._threads) > THREADS_MIN:
                        self._free -= 1
                        return None


def _decoding_slashes(app: Callable[..., Any]) -> Callable[..., Any]:
    """Give the app a path that is decoded whole.

    cheroot leaves ``%2F`` as it is, so that ``a%2Fb`` and ``a%252Fb`` look alike; no file can have
    a slash in its name, so for us it always parts folders.
    """

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ.get("REQUEST_URI", "").partition("?")[0]
        if path.startswith("/"):
            environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
        return app(environ, start_response)

    return call


class _Server(Server):
    """cheroot on a socket that already listens, with our pool and connections."""

    ConnectionClass = _Connection

    def __init__(self, sock: socket.socket, app: Callable[..., Any]) -> None:
        self.connections: set[_Connection] = set()
        self._listening = sock
        super().__init__(sock.getsockname()[:2], _decoding_slashes(app), server_name="gptcode")
        self.version = "gptcode"
        self.requests = _Pool(self)
        self.request_queue_size = BACKLOG
        self.timeout = int(SILENCE_S)
        self.max_request_header_size = HEADERS_MAX
        self.keep_alive_conn_limit = CONNECTIONS_MAX
        self.expiration_interval = LOOK_AROUND_S

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
        """Called by ``prepare``."""
        self.socket = self._listening
        return self._listening

    def end_loop(self) -> None:
        """Make the accepting loop return now, not at its next look around."""
        if not self.ready:
            return
        # It has no public way to be asked; its own ``stop`` waits for its next look around.
        loop: Any = vars(self)["_connections"]
        loop._stop_requested = True
        with suppress(OSError):
            socket.create_connection(self.bind_addr, timeout=1.0).close()

    def process_conn(self, conn: _Connection) -> None:
        """A new connection waits with the idle ones until it has something to say."""
        if conn.last_used is not None:
            self.requests.put(conn)
        elif len(self.connections) <= CONNECTIONS_MAX:
            self.put_conn(conn)
        else:
            conn.close()

    def put_conn(self, conn: _Connection) -> None:
        """Wait for the connection's next request, unless the loop has ended meanwhile."""
        try:
            super().put_conn(conn)
        except (OSError, ValueError, KeyError):
            conn.close()

    def answer(self, connection: _Connection) -> None:
        """One request and its answer, on a thread of the pool."""
        keep = False
        try:
            keep = connection.answer()
        except Exception:
            log.exception("a connection failed")
        finally:
            if keep:
                self.put_conn(connection)
            else:
                connection.close()

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """cheroot's own log; a client that went away is no event."""
        log.log(level, "%s", msg, exc_info=traceback)
