"""The proxy of one conversation, on a socket in its kernel's run folder.

Invariant: while it is shut nothing is forwarded, and shutting it ends what was being forwarded.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from gpt_code_ui.errors import NetworkError, NetworkRefused
from gpt_code_ui.kernel.network.head import (
    LIMIT,
    Malformed,
    Request,
    answer,
    parse_request,
    read_head,
)
from gpt_code_ui.kernel.network.ledger import Count, Ledger
from gpt_code_ui.kernel.network.upstream import Upstream, Way

log = logging.getLogger(__name__)
audit = logging.getLogger("gpt_code_ui.audit.network")

SOCKET = "net"
HEAD_S = 30.0
ANSWER_S = 600.0
IDLE_S = 600.0
CHUNK = 64 * 1024
MOST_AT_ONCE = 256
SHUT = "The network is switched off in GPT-Code UI"
SHUT_HINT = "The person can allow it for this conversation on the page."


@dataclass(frozen=True)
class Forward:
    """What is forwarded now. ``hosts``: only these, for a cell that may do no more than install."""

    hosts: frozenset[str] | None = None

    def allows(self, host: str) -> bool:
        """Whether a host is one of those."""
        return self.hosts is None or host.lower() in self.hosts


class Door:
    """Shut at first. Used on the loop's thread."""

    def __init__(self, name: str, upstream: Upstream, ledger: Ledger) -> None:
        """``name`` is the conversation's, for the log."""
        self._name = name
        self._upstream = upstream
        self._ledger = ledger
        self._forward: Forward | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def forward(self, what: Forward | None) -> None:
        """Forward this from now on, or nothing; what is no longer allowed ends at once."""
        if what == self._forward:
            return
        self._forward = what
        if what is None or what.hosts is not None:
            self._end()

    async def listen(self, run_dir: Path) -> None:
        """Be there for the kernel of this folder. Raises OSError."""
        self.close()
        self._server = await asyncio.start_unix_server(
            self._serve, str(run_dir / SOCKET), limit=LIMIT
        )

    def close(self) -> None:
        """End every connection; the next kernel gets a socket of its own."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._end()

    async def wait_closed(self) -> None:
        """Return when nothing is left of the connections."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()  # shut, or the kernel is gone
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            log.debug("a connection of %s ended: %s", self._name, error)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) > MOST_AT_ONCE:
            _say(writer, 503, "Too many connections at once")
            return
        try:
            async with asyncio.timeout(HEAD_S):
                request = parse_request(await read_head(reader))
        except Malformed as error:
            _say(writer, 400, error.message)
            return
        forward = self._forward
        if forward is None or not forward.allows(request.host):
            audit.info("%s: %s refused, the network is off", self._name, request.host)
            self._ledger.shut(request.host)
            _say(writer, 403, f"{SHUT}", SHUT_HINT)
            return
        count = self._ledger.of(request.host)
        try:
            way = await self._upstream.open(request)
        except NetworkError as error:
            self._decline(request, count, error, writer)
            return
        audit.info("%s: %s:%d reached", self._name, request.host, request.port)
        count.requests += 1
        try:
            await self._pass_on(request, way, reader, writer)
        finally:
            way.streams[1].close()

    def _decline(
        self, request: Request, count: Count, error: NetworkError, writer: asyncio.StreamWriter
    ) -> None:
        audit.info("%s: %s:%d %s", self._name, request.host, request.port, error.message)
        count.refused += 1
        status = 403 if isinstance(error, NetworkRefused) else 502
        _say(writer, status, f"{request.host} {error.message}")

    async def _pass_on(
        self, request: Request, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, out = way.streams
        if request.tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            head = request.written(absolute=way.absolute, extra=way.extra)
            self._ledger.of(request.host).sent += len(head)
            out.write(head)
        relay = _Relay(self._ledger, request.host)
        upload = asyncio.create_task(relay.pump(reader, out, up=True))
        try:
            if request.tunnel or await self._pass_head_on(request, there, writer):
                await relay.pump(there, writer, up=False)
        finally:
            upload.cancel()
            await asyncio.wait([upload])

    async def _pass_head_on(
        self, request: Request, there: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """The answer's head, and those of interim answers before it; False where there is none."""
        status = 100
        while status < 200:
            try:
                async with asyncio.timeout(ANSWER_S):
                    status, head = answer(await read_head(there))
            except (Malformed, EOFError, TimeoutError):
                _say(writer, 502, f"{request.host} did not answer in HTTP")
                return False
            self._ledger.of(request.host).received += len(head)
            writer.write(head)
        return True


class _Relay:
    """Both ways of one connection; it is idle when neither has moved."""

    def __init__(self, ledger: Ledger, host: str) -> None:
        self._ledger, self._host = ledger, host
        self._loop = asyncio.get_running_loop()
        self._moved = self._loop.time()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        """Pass on until the reader's side ends; then the writer's other side hears of it."""
        with contextlib.suppress(OSError):
            while data := await self._read(reader):
                self._moved = self._loop.time()
                count = self._ledger.of(self._host)
                if up:
                    count.sent += len(data)
                else:
                    count.received += len(data)
                writer.write(data)
                async with asyncio.timeout(IDLE_S):
                    await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        while True:
            try:
                async with asyncio.timeout_at(self._moved + IDLE_S):
                    return await reader.read(CHUNK)
            except TimeoutError:
                if self._loop.time() >= self._moved + IDLE_S:
                    return b""


def _say(writer: asyncio.StreamWriter, status: int, what: str, hint: str = "") -> None:
    """An answer of ours. Most clients show the first line of it and nothing else."""
    phrase = "".join(c if c.isascii() and c.isprintable() else "?" for c in what)
    body = f"{what}. {hint}".strip().encode("utf-8", "replace") + b"\n"
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode("ascii") + body)
