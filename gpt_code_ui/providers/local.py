"""Model servers on this computer, found by asking their usual ports for their models.

Only 127.0.0.1 is asked, without a key, following nothing, all ports at once on threads that end
within ``PATIENCE_S``; whoever wants to know waits no longer than that.
"""

import http.client
import io
import json
import re
import socket
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

PATIENCE_S = 0.3
FRESH_S = 5.0
ANSWER_BYTES = 1 << 20
MOST_MODELS = 200
REQUEST = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\r\n"


@dataclass(frozen=True)
class LocalServer:
    """A kind of server and its usual port; ``models`` once it has answered."""

    id: str
    name: str
    port: int
    models: tuple[str, ...] = ()

    @property
    def base_url(self) -> str:
        """Where it speaks Chat Completions."""
        return f"http://127.0.0.1:{self.port}/v1"


USUAL = (
    LocalServer("ollama", "Ollama", 11434),
    LocalServer("lmstudio", "LM Studio", 1234),
    LocalServer("llamacpp", "llama.cpp", 8080),
    LocalServer("vllm", "vLLM", 8000),
)


def usual(ollama_port: int | None) -> tuple[LocalServer, ...]:
    """The usual servers, with Ollama where it was told to listen."""
    if ollama_port is None:
        return USUAL
    return tuple(replace(one, port=ollama_port) if one.id == "ollama" else one for one in USUAL)


class LocalServers:
    """Looks when it is told to, at most every few seconds, and never twice at once."""

    def __init__(self, usual: Sequence[LocalServer] = USUAL, *, skip: Collection[int] = ()) -> None:
        self.usual = [one for one in usual if one.port not in skip]
        self._changed = threading.Condition()
        self._found: dict[str, LocalServer] = {}
        self._looking = 0
        self._looked_at = -FRESH_S

    def look(self, *, again: bool = False) -> None:
        """Begin to look around, in the background; ``again`` also if that was just done."""
        with self._changed:
            fresh = time.monotonic() - self._looked_at < FRESH_S and not again
            if self._looking or fresh or not self.usual:
                return
            self._looking = len(self.usual)
            self._looked_at = time.monotonic()
        for one in self.usual:
            name = f"find-{one.id}"
            threading.Thread(target=self._probe, args=(one,), name=name, daemon=True).start()

    def found(self) -> list[LocalServer]:
        """Those that answered when last looked at; waits for a look that is under way."""
        with self._changed:
            self._changed.wait_for(lambda: self._looking == 0, PATIENCE_S)
            return [self._found[one.id] for one in self.usual if one.id in self._found]

    def close(self) -> None:
        """Wait for what is under way."""
        with self._changed:
            self._changed.wait_for(lambda: self._looking == 0, 3 * PATIENCE_S)

    def _probe(self, usual: LocalServer) -> None:
        found = None
        try:
            found = probe(usual)
        finally:
            with self._changed:
                self._found.pop(usual.id, None)
                if found is not None:
                    self._found[usual.id] = found
                self._looking -= 1
                self._changed.notify_all()


def probe(usual: LocalServer) -> LocalServer | None:
    """Ask one port; None if no server for models answers there in time."""
    end = time.monotonic() + PATIENCE_S
    try:
        with socket.create_connection(("127.0.0.1", usual.port), PATIENCE_S) as sock:
            sock.sendall(REQUEST.format(port=usual.port).encode())
            return _understood(usual, _read(sock, end))
    except (OSError, ValueError, http.client.HTTPException):
        return None


def _read(sock: socket.socket, end: float) -> bytes:
    """What comes until the other side ends, the answer is whole, or time is up."""
    data = b""
    while len(data) < ANSWER_BYTES and (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            piece = sock.recv(65536)
        except TimeoutError:
            break
        data += piece
        if not piece or _is_whole(data):
            break
    return data


def _is_whole(data: bytes) -> bool:
    """Whether a server that keeps the connection open has said all."""
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\ncontent-length: *(\d{1,9})\b", head, re.IGNORECASE)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def _understood(usual: LocalServer, data: bytes) -> LocalServer | None:
    response = http.client.HTTPResponse(_Received(data))  # type: ignore[arg-type]
    response.begin()
    if response.status != 200:
        return None
    names = model_names(json.loads(response.read(ANSWER_BYTES)))
    if names is None:
        return None
    return LocalServer(usual.id, usual.name, usual.port, tuple(names[:MOST_MODELS]))


class _Received:
    """A socket whose bytes have all come."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def model_names(answer: Any) -> list[str] | None:
    """The ids in an answer of ``/models``; None if it is none."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if rows is None and isinstance(answer, dict) and answer.get("object") == "list":
        return []
    if not isinstance(rows, list):
        return None
    names = (row.get("id") for row in rows if isinstance(row, dict))
    return [name for name in names if isinstance(name, str) and 0 < len(name) <= 300]
