"""The MCP servers of one running product: started when a turn first needs them, told of, ended.

A turn waits a bounded time for servers that are starting, and goes on without those that are not
there. One that failed is tried again by a later turn, after a pause that grows.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gpt_code_ui.errors import GptCodeError, NotFound
from gpt_code_ui.loop_thread import LoopThread
from gpt_code_ui.mcp.book import Listed, McpBook, row_of
from gpt_code_ui.mcp.connection import Connection, ToolFacts
from gpt_code_ui.mcp.spec import McpServerSpec
from gpt_code_ui.mcp.tools import McpTool, Stop, unique

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
CHECK_S = 20.0
CLOSE_S = 3.5
WAIT_STEP_S = 0.1
# The API of OpenAI takes 128 functions, ours included.
MOST_TOOLS = 120


class Waiting(Protocol):
    """Whether somebody asked to stop."""

    @property
    def requested(self) -> bool: ...


@dataclass
class _Server:
    """A server that is wanted: its connection, and how often in a row it failed."""

    listed: Listed
    connection: Connection | None = None
    problem: str | None = None
    failures: int = 0
    failed_at: float = 0.0


class McpServers:
    """All servers of the book. Every method may be called from any thread."""

    def __init__(
        self, book: McpBook, *, start_s: float, call_s: float, output_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """``start_s``: how long a turn waits for servers, from their start. ``call_s``: how long a
        call may take where its server's row says nothing."""
        self._book = book
        self._start_s = start_s
        self._call_s = call_s
        self._output_bytes = output_bytes
        self._clock = clock
        self._loop = LoopThread("mcp")
        self._lock = threading.Lock()
        self._closed = False
        self._servers: dict[str, _Server] = {}
        self._ending: list[Connection] = []
        self._follow_book()

    def wake(self) -> None:
        """Begin to start what is wanted and does not run; returns at once."""
        with self._lock:
            for server in self._servers.values():
                self._start(server)

    def tools(self, stop: Waiting) -> list[McpTool]:
        """The tools of all servers that are there, after a bounded wait for those that start."""
        self.wake()
        with self._lock:
            connections = [(one.listed.spec, one.connection) for one in self._servers.values()]
        found = []
        for spec, connection in connections:
            if connection is not None:
                self._await(connection, stop)
                found += [self._tool(spec, connection, facts) for facts in connection.tools]
        return unique(found, MOST_TOOLS)

    def change(self, value: object) -> None:
        """Put servers in place of the page's own. Raises InvalidValue, StoreError."""
        self._book.change(value)
        self._follow_book()

    def check(self, name: str) -> dict[str, Any]:
        """Start a server now, and tell of it after 20 s at most. Raises NotFound."""
        with self._lock:
            server = self._servers.get(name)
            if server is None:
                raise NotFound(f"There is no MCP server {name} that is switched on.")
            server.failures = 0
            self._start(server)
            connection = server.connection
        if connection is not None:
            connection.wait(CHECK_S)
        return next(row for row in self.shown() if row["name"] == name)

    def shown(self) -> list[dict[str, Any]]:
        """All servers as the page may see them: their state, and no secret."""
        with self._lock:
            return [
                row_of(one.spec) | {"source": one.source} | self._state(one)
                for one in self._book.all()
            ]

    def begin_close(self) -> None:
        """Ask all to end; returns at once."""
        with self._lock:
            self._closed = True
            for server in self._servers.values():
                if server.connection is not None:
                    server.connection.begin_close()

    def close(self, timeout: float = CLOSE_S) -> None:
        """End all, within ``timeout`` seconds."""
        self.begin_close()
        deadline = time.monotonic() + timeout
        running = [one.connection for one in self._servers.values() if one.connection is not None]
        for connection in (*running, *self._ending):
            connection.close(max(0.0, deadline - time.monotonic()))
        self._loop.close(None)

    # --- inside --------------------------------------------------------------------------------

    def _follow_book(self) -> None:
        """Want what the book has; what was changed or taken away ends."""
        with self._lock:
            before = self._servers
            wanted = {one.spec.name: one for one in self._book.all() if one.spec.enabled}
            self._servers = {}
            for name, listed in wanted.items():
                known = before.get(name)
                same = known is not None and known.listed == listed and not self._differs(known)
                self._servers[name] = known if known is not None and same else _Server(listed)
            for name, server in before.items():
                if self._servers.get(name) is not server and server.connection is not None:
                    server.connection.begin_close()
                    self._ending.append(server.connection)

    def _differs(self, server: _Server) -> bool:
        """Whether the secrets it was started with are others now."""
        if server.connection is None:
            return server.problem is not None
        try:
            return self._book.whole(server.listed) != server.connection.spec
        except GptCodeError:
            return True

    def _start(self, server: _Server) -> None:
        connection = server.connection
        if self._closed or (connection is not None and connection.state != "failed"):
            if connection is not None and connection.state == "ready":
                server.failures = 0
            return
        if connection is not None and connection.ended_at is not None and server.problem is None:
            server.problem = connection.problem
            server.failures += 1
            server.failed_at = self._clock()
        pause = min(FIRST_PAUSE_S * 2 ** (server.failures - 1), LONGEST_PAUSE_S)
        if server.failures > 1 and self._clock() - server.failed_at < pause:
            return
        server.problem = None
        try:
            spec = self._book.whole(server.listed)
        except GptCodeError as error:
            server.problem = error.message
            return
        server.connection = Connection(spec, self._loop)

    def _await(self, connection: Connection, stop: Waiting) -> None:
        """Until it is ready or failed, or ``start_s`` after its start, or a stop."""
        deadline = connection.began + self._start_s
        while not stop.requested and (left := deadline - time.monotonic()) > 0:
            if connection.wait(min(left, WAIT_STEP_S)):
                return

    def _tool(self, spec: McpServerSpec, connection: Connection, facts: ToolFacts) -> McpTool:
        seconds = spec.timeout or self._call_s

        def call(arguments: dict[str, Any], stop: Stop) -> dict[str, Any]:
            return connection.call(facts.name, arguments, seconds, stop.on_request)

        return McpTool(spec.name, facts, call, trusted=spec.trust, output_bytes=self._output_bytes)

    def _state(self, listed: Listed) -> dict[str, Any]:
        if not listed.spec.enabled:
            return {"state": "off", "problem": None, "tools": []}
        server = self._servers.get(listed.spec.name)
        connection = server.connection if server is not None else None
        if server is None or connection is None:
            problem = server.problem if server is not None else None
            return {"state": "failed" if problem else "idle", "problem": problem, "tools": []}
        names = [facts.name for facts in connection.tools]
        problem = connection.problem or server.problem
        return {"state": connection.state, "problem": problem, "tools": names}
