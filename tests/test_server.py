"""The HTTP server under clients that are slow, silent, rude or many."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from gpt_code_ui import server as server_module
from gpt_code_ui.errors import UsageError
from gpt_code_ui.server import HttpServer, listen

DEADLINE = 10.0
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class App:
    """/stream sends until ``end`` is set, /read counts the body, /refuse does not look at it."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.streaming = threading.Semaphore(0)

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/stream":
                start("200 OK", [])
                return self._stream()
            case "/read":
                size = 0
                while chunk := environ["wsgi.input"].read(65536):
                    size += len(chunk)
                content = str(size).encode()
            case "/refuse":
                start("401 UNAUTHORIZED", [("Content-Length", "2")])
                return [b"no"]
            case str(path) if path.startswith("/path/"):
                content = path.encode("latin-1")
            case _:
                content = b"ok"
        start("200 OK", [("Content-Length", str(len(content)))])
        return [content]

    def _stream(self) -> Iterator[bytes]:
        yield b"begin"
        self.streaming.release()
        self.end.wait(DEADLINE)
        yield b"end"


class Running:
    """A server with its app."""

    def __init__(self) -> None:
        self.app = App()
        sock = listen("127.0.0.1", 0)
        self.address = sock.getsockname()
        self.server = HttpServer(sock, self.app)
        self.server.start()

    def get(self, path: str, **kwargs: Any) -> bytes:
        connection = self.connect()
        try:
            connection.request(kwargs.pop("method", "GET"), path, **kwargs)
            return connection.getresponse().read()
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        host, port = self.address
        return http.client.HTTPConnection(host, port, timeout=DEADLINE)

    def raw(self, data: bytes = b"") -> socket.socket:
        client = socket.create_connection(self.address, timeout=DEADLINE)
        client.sendall(data)
        return client


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.app.end.set()
    running.server.stop()


def test_silent_clients_cost_no_thread_and_hold_nobody_up(running: Running) -> None:
    before = threading.active_count()
    silent = [running.raw() for _ in range(300)]
    half = [running.raw(b"GET / HT") for _ in range(30)]
    started = time.monotonic()
    assert running.get("/") == b"ok"
    assert time.monotonic() - started < 1
    assert threading.active_count() <= before + len(half)
    for client in (*silent, *half):
        client.close()


def test_many_streams_at_once(running: Running) -> None:
    streams = [running.raw(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(60)]
    for _ in streams:
        assert running.app.streaming.acquire(timeout=DEADLINE)
    assert running.get("/") == b"ok"
    running.app.end.set()
    for client in streams:
        assert client.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
        client.close()


def test_headers_that_drip_are_cut_off(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HEADERS_S", 0.2)
    with running.raw(b"GET / HTTP/1.1\r\nHost: x\r\n") as client:
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "timeout"


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n", 405),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 413),
    ],
)
def test_what_is_no_http_gets_the_one_error_shape(
    running: Running, request_line: bytes, status: int
) -> None:
    with running.raw(request_line) as client:
        head, _, body = client.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode()
    assert set(json.loads(body)["error"]) == {"code", "message", "retryable"}
    assert running.get("/") == b"ok"


def test_bodies_are_streamed(running: Running) -> None:
    chunks = iter([b"x" * 100_000] * 20)
    assert running.get("/read", method="PUT", body=chunks, encode_chunked=True) == b"2000000"
    assert running.get("/read", method="PUT", body=b"x" * 3_000_000) == b"3000000"


def test_a_refused_body_is_not_waited_for(running: Running) -> None:
    head = f"PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: {10 << 30}\r\n\r\n"
    with running.raw(head.encode() + b"x" * 100_000) as client:
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 401 ") and answer.endswith(b"\r\n\r\nno")
    assert b"\r\nConnection: close\r\n" in answer


def test_a_connection_is_used_again(running: Running) -> None:
    connection = running.connect()
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"ok"
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()


def test_stopping_does_not_wait_for_a_stream(running: Running) -> None:
    client = running.raw(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert running.app.streaming.acquire(timeout=DEADLINE)
    started = time.monotonic()
    running.server.stop(1.0)
    assert time.monotonic() - started < 2
    client.close()


def test_more_connections_than_there_is_room_for(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS_MAX", 10)
    clients = [running.raw() for _ in range(10)]
    with running.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as refused:
        try:
            assert refused.recv(100) == b""
        except ConnectionResetError:
            pass
    clients.pop().close()
    for client in clients:
        client.close()


def test_a_port_in_use_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as failure:
            listen("127.0.0.1", port)
    assert failure.value.message == f"port {port} is in use"
    with pytest.raises(UsageError, match=r"cannot listen on 203\.0\.113\.1"):
        listen("203.0.113.1", 0)


def test_a_server_that_never_started_can_be_stopped() -> None:
    sock = listen("127.0.0.1", 0)
    HttpServer(sock, App()).stop()
    assert sock.fileno() == -1


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/path/a%2Fb.csv?x=%2F", "/path/a/b.csv"),
        ("/path/a%252Fb.csv", "/path/a%2Fb.csv"),
        ("/path/%E6%97%A5%20x.csv", "/path/日 x.csv"),
        ("/path/..%2f..%2fx", "/path/../../x"),
    ],
)
def test_the_path_is_decoded_whole_and_once(running: Running, sent: str, seen: str) -> None:
    assert running.get(sent) == seen.encode()
