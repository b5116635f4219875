"""An OpenAI-compatible server over real HTTP on loopback that answers as it is told.

    with ScriptedOpenAI(answer("Hello"), error(429, "slow down")) as server:
        ... a client of server.url ...
        server.requests[0].json["messages"]

One reply per request, in order; a reply may be a function of the request. A reply is a list of
steps: a dict is sent as an event, bytes as they are, an Event is waited for (the server's own end
ends the wait), a Cut breaks the connection, a function is called.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

JsonObject = dict[str, Any]
WAIT_S = 30.0


@dataclass(frozen=True)
class Cut:
    """Break the connection: ``close`` inside the body, ``reset`` with a TCP RST."""

    how: Literal["close", "reset"] = "close"


@dataclass(frozen=True)
class Recorded:
    """A request as it arrived; the names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> JsonObject:
        """The body, parsed."""
        value: JsonObject = json.loads(self.body)
        return value


Step = JsonObject | bytes | threading.Event | Cut | Callable[[], None]


@dataclass(frozen=True)
class Reply:
    """A response; without an own length it is sent chunked, one step at a time."""

    steps: Iterable[Step] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream; charset=utf-8"
    before_headers: Iterable[Step] = ()


Answer = Reply | Callable[[Recorded], Reply]
DONE = b"data: [DONE]\n\n"


def chunk(delta: JsonObject | None = None, finish: str | None = None, **more: Any) -> JsonObject:
    """One chat.completion.chunk as OpenAI sends it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}],
        **more,
    }


def text_chunks(text: str, size: int = 4) -> list[Step]:
    """Text, ``size`` characters a chunk."""
    return [chunk({"content": text[at : at + size]}) for at in range(0, len(text), size)]


def call_chunks(
    code: str, *, index: int = 0, id: str = "call_1", size: int = 7, name: str = "execute_code"
) -> list[Step]:
    """A call of execute_code, its arguments ``size`` characters a chunk."""
    return raw_call_chunks(json.dumps({"code": code}), index=index, id=id, size=size, name=name)


def raw_call_chunks(
    arguments: str, *, index: int = 0, id: str = "call_1", size: int = 7, name: str = "execute_code"
) -> list[Step]:
    """A call with any arguments, valid or not."""
    function = {"name": name, "arguments": ""}
    head = {"index": index, "id": id, "type": "function", "function": function}
    steps: list[Step] = [chunk({"role": "assistant", "content": None, "tool_calls": [head]})]
    for at in range(0, len(arguments), size):
        piece = {"index": index, "function": {"arguments": arguments[at : at + size]}}
        steps.append(chunk({"tool_calls": [piece]}))
    return steps


def usage(input_tokens: int = 10, output_tokens: int = 5) -> JsonObject:
    """The chunk that counts tokens and has no choices."""
    counts = {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }
    return {**chunk(), "choices": [], "usage": counts}


def answer(text: str = "", *codes: str) -> Reply:
    """A whole answer: text, then a call for each code, the reason, the usage."""
    steps = text_chunks(text)
    for index, code in enumerate(codes):
        steps += call_chunks(code, index=index, id=f"call_{index}")
    reason = "tool_calls" if codes else "stop"
    return Reply([*steps, chunk(finish=reason), usage(), DONE])


def error(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """An error body as OpenAI sends it."""
    body = {"error": {"message": message, "type": "scripted", "param": None, "code": code}}
    return plain(json.dumps(body), status=status, headers=headers)


def plain(
    body: str,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """A body in one piece."""
    return Reply([body.encode()], status, headers or {}, content_type)


def comments(every_s: float = 0.02) -> Iterator[Step]:
    """Comments for ever: what a proxy sends to keep a silent connection open."""
    pause = threading.Event()
    while not pause.wait(every_s):
        yield b": ping\n\n"


class ScriptedOpenAI:
    """The server. ``requests`` grows as they arrive; ``wait_for`` waits for the nth."""

    def __init__(self, *answers: Answer, models: Sequence[str] = ("scripted",)) -> None:
        self.requests: list[Recorded] = []
        self.models = list(models)
        self.refused_key: str | None = None
        self._answers = list(answers)
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="scripted-openai"
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """What goes into OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *answers: Answer) -> None:
        """Add replies for the requests that follow."""
        with self._changed:
            self._answers += answers

    def wait_for(self, count: int, timeout: float = 10.0) -> Recorded:
        """The ``count``-th request, as soon as it is there."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, timeout)
            assert arrived, f"{len(self.requests)} of {count} requests came"
            return self.requests[count - 1]

    def close(self) -> None:
        """End every reply that still waits, and the server."""
        self._closing.set()
        self._server.shutdown()
        self._server.drop_connections()
        self._thread.join(5)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def reply_to(self, request: Recorded) -> Reply:
        """Record the request and take its reply from the script."""
        with self._changed:
            if request.headers.get("authorization") == f"Bearer {self.refused_key}":
                return error(401, "Incorrect API key provided.", code="invalid_api_key")
            if request.method == "GET" and request.path.endswith("/models"):
                rows = [{"id": name, "object": "model"} for name in self.models]
                return plain(json.dumps({"object": "list", "data": rows}))
            self.requests.append(request)
            self._changed.notify_all()
            if not self._answers:
                return error(500, "The script has no more answers.")
            answer = self._answers.pop(0)
        return answer if isinstance(answer, Reply) else answer(request)

    def wait_on(self, gate: threading.Event) -> None:
        """Wait for a gate in short turns, so that closing the server ends it."""
        for _ in range(int(WAIT_S / 0.02)):
            if gate.wait(0.02) or self._closing.is_set():
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Wake the handlers that wait for the next request of a kept-alive connection."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is what these tests are about."""


def _handler_for(script: ScriptedOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._respond(Recorded(self.command, self.path, self._names(), body))

        def do_GET(self) -> None:
            self._respond(Recorded(self.command, self.path, self._names(), b""))

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: the requests are recorded."""

        def _names(self) -> dict[str, str]:
            return {name.lower(): value for name, value in self.headers.items()}

        def _respond(self, request: Recorded) -> None:
            reply = script.reply_to(request)
            for _ in self._pieces(reply.before_headers):
                pass
            if self.close_connection:
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
            for piece in self._pieces(reply.steps):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            if not self.close_connection:
                self.wfile.write(b"0\r\n\r\n")

        def _pieces(self, steps: Iterable[Step]) -> Iterator[bytes]:
            for step in steps:
                if isinstance(step, Cut):
                    self._cut(step)
                    return
                if isinstance(step, threading.Event):
                    script.wait_on(step)
                elif callable(step):
                    step()
                elif isinstance(step, bytes):
                    yield step
                else:
                    yield f"data: {json.dumps(step)}\n\n".encode()

        def _cut(self, cut: Cut) -> None:
            self.close_connection = True
            if cut.how == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()

    return Handler
