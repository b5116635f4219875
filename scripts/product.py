"""The product as an outsider has it: started by its command line, used over its HTTP contract.

Nothing of the package is imported here. ``close`` ends the process and waits for it.
"""

import contextlib
import http.client
import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ANNOUNCED = re.compile(r"http://(?P<host>[\w.\[\]:]+):(?P<port>\d+)/(?:#code=\S+)?")
START_S = 60.0
ANSWER_S = 120.0
FOREIGN = ("OPENAI_", "AZURE_", "GPTCODE_", "PYTHON")


class ProductError(Exception):
    """The product did not do what the contract says."""


def gptcode_command() -> list[str]:
    """The command of the environment this runs in."""
    beside = Path(sys.executable).parent / "gptcode"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "gpt_code_ui.cli"]


class Product:
    """One running ``gptcode`` with a data folder and a token of its own."""

    def __init__(
        self,
        *flags: str,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it; returns once the URL is announced. Raises ProductError."""
        self.token = secrets.token_urlsafe(32)
        self.folder = Path(tempfile.mkdtemp(prefix="gptcode-"))
        self.log_path = self.folder / "log.txt"
        env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        if os.geteuid() == 0:
            env["GPTCODE_ALLOW_ROOT"] = "1"
        env |= {"GPTCODE_TOKEN": self.token, "PYTHONUNBUFFERED": "1", **(environment or {})}
        data = str(self.folder / "data")
        argv = [*(command or gptcode_command()), "--no-browser", "--port", "0", "--data-dir", data]
        self.started = time.perf_counter()
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*argv, *flags],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=env,
                cwd=self.folder,
                start_new_session=True,
            )
        try:
            self.host, self.port = self._announced()
        except BaseException:
            self.close()
            raise

    def _announced(self) -> tuple[str, int]:
        """Read stdout until the URL is there; the rest stays in the pipe, it is a few lines."""
        assert self.process.stdout is not None
        descriptor, seen = self.process.stdout.fileno(), ""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            readable, _, _ = select.select([descriptor], [], [], 0.5)
            chunk = os.read(descriptor, 65536) if readable else b""
            seen += chunk.decode(errors="replace")
            found = ANNOUNCED.search(seen)
            if found:
                return found["host"].strip("[]"), int(found["port"])
            if readable and not chunk:
                break
        raise ProductError(f"no URL was announced:\n{seen}{self.log()}")

    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def connect(self) -> http.client.HTTPConnection:
        """A connection that sends at once."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_S)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @property
    def headers(self) -> dict[str, str]:
        """What a script sends with every request."""
        return {"Authorization": f"Bearer {self.token}"}

    def json(self, method: str, path: str, body: object = None) -> Any:
        """One request with JSON both ways. Raises ProductError unless 2xx."""
        with contextlib.closing(self.connect()) as connection:
            self.send(connection, method, path, body)
            return self.answer(connection)

    def send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: object = None
    ) -> None:
        """Write a request and do not wait for its answer."""
        raw = None if body is None else json.dumps(body).encode()
        headers = self.headers | ({} if raw is None else {"Content-Type": "application/json"})
        connection.request(method, path, body=raw, headers=headers)

    def answer(self, connection: http.client.HTTPConnection) -> Any:
        """Read the answer to ``send``. Raises ProductError unless 2xx."""
        response = connection.getresponse()
        raw = response.read()
        if response.status // 100 != 2:
            raise ProductError(f"status {response.status}: {raw[:500]!r}")
        return json.loads(raw) if raw else None

    def conversation(self) -> str:
        """A new conversation's id."""
        return str(self.json("POST", "/api/conversations", {})["id"])

    @contextlib.contextmanager
    def events(self, conversation: str, after: int | None = None) -> Iterator["Events"]:
        """The event stream of a conversation, from ``after`` or from its beginning."""
        with contextlib.closing(self.connect()) as connection:
            query = "" if after is None else f"?after={after}"
            path = f"/api/conversations/{conversation}/events{query}"
            connection.request("GET", path, headers=self.headers)
            response = connection.getresponse()
            if response.status != 200:
                raise ProductError(f"status {response.status} for the event stream")
            yield Events(response)

    def wait_healthy(self) -> float:
        """Seconds from the start of the process to the first healthy answer."""
        while True:
            try:
                if self.json("GET", "/api/health")["status"] == "ok":
                    return time.perf_counter() - self.started
            except (OSError, http.client.HTTPException):
                if self.process.poll() is not None:
                    raise ProductError(f"it ended before it was healthy:\n{self.log()}") from None
            if time.perf_counter() - self.started > START_S:
                raise ProductError(f"not healthy within {START_S:.0f} s:\n{self.log()}")

    def close(self) -> None:
        """SIGTERM, then SIGKILL; removes its folder."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Events:
    """Events of a stream as they come, one dictionary each: {seq?, conversation_id, at, event}."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        while line := self._response.readline():
            if line.startswith(b"data:"):
                found: dict[str, Any] = json.loads(line[5:])
                return found
        raise StopIteration

    def until(self, kind: str, **fields: object) -> dict[str, Any]:
        """The next event of a type whose fields are these. Raises ProductError at the end."""
        for published in self:
            event: dict[str, Any] = published["event"]
            if event["type"] == kind and all(event.get(k) == v for k, v in fields.items()):
                return event
        raise ProductError(f"the stream ended before {kind}")
