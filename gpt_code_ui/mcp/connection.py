"""One connection to one MCP server: started, its tools listed, called, ended.

The only module that talks to other servers through the ``mcp`` package. Everything of it runs in
one task of an event loop, which nobody else waits on: what is read from other threads is replaced
whole. A server's process ends with its connection, and gets no more of our environment than the
package's short list (PATH, HOME and the like) and what its row says.
"""

import asyncio
import logging
import math
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gpt_code_ui.errors import ToolFailed
from gpt_code_ui.loop_thread import LoopThread
from gpt_code_ui.mcp import keeper
from gpt_code_ui.mcp.spec import McpServerSpec

if TYPE_CHECKING:
    import anyio
    from mcp import Client

log = logging.getLogger(__name__)

START_S = 60.0
LIST_S = 30.0
MOST_PAGES = 50
MOST_TOOLS = 100
LAST_WORDS = 2000
LAST_WORDS_S = 2.0
SHOWN_WORDS = 300
State = Literal["starting", "ready", "failed"]


@dataclass(frozen=True)
class ToolFacts:
    """A tool as its server tells of it."""

    name: str
    description: str
    schema: dict[str, Any]
    read_only: bool


@dataclass
class _Call:
    """A call that runs: its way to be cancelled, and what came of it."""

    scope: "anyio.CancelScope | None" = None
    cancelled: bool = False
    result: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    timed_out: bool = False


class Connection:
    """A server that is starting, ready, or failed with a ``problem``; it never comes back."""

    def __init__(self, spec: McpServerSpec, loop: LoopThread) -> None:
        self.spec = spec
        self.state: State = "starting"
        self.problem: str | None = None
        self.tools: tuple[ToolFacts, ...] = ()
        self.began = time.monotonic()
        self.ended_at: float | None = None
        self._loop = loop
        self._settled = threading.Event()
        self._over = asyncio.Event()
        self._status = ""
        self._last_words = b""
        self._client: Client | None = None
        self._scope: anyio.CancelScope | None = None
        self._closing = False
        self._has_ended = False
        self._task: Future[None] = loop.submit(self._serve())

    def wait(self, timeout: float) -> bool:
        """Whether it is ready or failed, within ``timeout`` seconds."""
        return self._settled.wait(timeout)

    def begin_close(self) -> None:
        """Ask it to end; returns at once."""
        if not self._task.done():
            self._loop.submit(self._cancel())

    def close(self, timeout: float) -> None:
        """Ask it to end and wait for that."""
        self.begin_close()
        with suppress(Exception):  # how it ended is of no interest any more
            self._task.result(timeout)

    def call(
        self, name: str, arguments: dict[str, Any], seconds: float,
        on_stop: Callable[[Callable[[], None]], Any],
    ) -> dict[str, Any]:  # fmt: skip
        """The result, as JSON of the protocol (``content``, ``structuredContent``, ``isError``).

        ``on_stop`` is a context in which a callback is called when somebody wants to stop. Raises
        ToolFailed.
        """
        if self._client is None:
            raise ToolFailed(self._gone())
        call = _Call()
        running = self._loop.submit(self._run(call, name, arguments, seconds))

        def cancel() -> None:
            self._loop.submit(_stop(call))

        with on_stop(cancel):
            # The call ends itself in time; a little more, for one that does not let itself end.
            try:
                running.result(seconds + LIST_S)
            except Exception as error:
                raise ToolFailed(self._gone()) from error
        if call.cancelled:
            raise ToolFailed("The call was stopped.")
        if call.timed_out:
            raise ToolFailed(
                f"The tool {name} of {self.spec.name} did not answer within {seconds:g} s.",
                hint="Ask for less at once, or go on without it.",
            )
        if call.problem is not None:
            raise ToolFailed(call.problem)
        return call.result

    # --- on the loop ---------------------------------------------------------------------------

    async def _serve(self) -> None:
        """The whole life of the connection."""
        import anyio

        problem: str | None = None
        try:
            # One scope for all: what is opened while it starts stays open after that.
            with anyio.CancelScope(deadline=anyio.current_time() + START_S) as self._scope:
                if not self._closing:
                    await self._live(self._scope)
            if self.state == "starting" and not self._has_ended:
                problem = f"The MCP server {self.spec.name} did not come up within {START_S:.0f} s."
        except Exception as error:  # noqa: BLE001 - whatever a server makes the package raise
            problem = self._why(error)
        finally:
            self._client = None
            self.tools = ()
            self.problem = None if self._closing else self._without_secrets(problem or self._gone())
            self.state = "failed"
            self.ended_at = time.monotonic()
            self._settled.set()
            self._over.set()
            if not self._closing:
                log.info("MCP server %s: %s", self.spec.name, self.problem)

    async def _live(self, scope: "anyio.CancelScope") -> None:
        import anyio
        from mcp import Client

        changed = [anyio.Event()]

        async def hear(message: object) -> None:
            if getattr(message, "method", None) == "notifications/tools/list_changed":
                changed[0].set()

        async with AsyncExitStack() as stack:
            transport = await stack.enter_async_context(self._transport())
            client = Client(transport, message_handler=hear, cache=None, client_info=_about())
            await stack.enter_async_context(client)
            self.tools = await _listed(client)
            scope.deadline = math.inf
            self._client = client
            self.state = "ready"
            self._settled.set()
            async with anyio.create_task_group() as group:
                group.start_soon(self._listen, client, changed)
                while True:
                    await changed[0].wait()
                    changed[0] = anyio.Event()
                    with suppress(TimeoutError), anyio.fail_after(LIST_S):
                        self.tools = await _listed(client)

    async def _listen(self, client: "Client", changed: "list[anyio.Event]") -> None:
        """Servers of the protocol since 2026-07 tell of changes only to who listens."""
        from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
        from mcp.shared.exceptions import MCPError

        with suppress(ListenNotSupportedError, SubscriptionLost, MCPError, TimeoutError):
            async with client.listen(tools_list_changed=True) as events:
                async for _ in events:
                    changed[0].set()

    async def _run(self, call: _Call, name: str, arguments: dict[str, Any], seconds: float) -> None:
        import anyio

        client = self._client
        if client is None:
            call.problem = self._gone()
            return
        with anyio.CancelScope() as call.scope:
            if call.cancelled:
                return
            try:
                with anyio.fail_after(seconds):
                    result = await client.call_tool(name, arguments)
                call.result = result.model_dump(by_alias=True, mode="json", exclude_none=True)
            except TimeoutError:
                call.timed_out = True
            except Exception as error:  # noqa: BLE001 - as above
                if _is_closed(error):
                    await self._wind_up()
                    call.problem = self._gone()
                else:
                    call.problem = self._without_secrets(_words(error))

    async def _cancel(self) -> None:
        self._closing = True
        if self._scope is not None:
            self._scope.cancel()

    async def _wind_up(self) -> None:
        """The other side is gone: a process has a moment to tell why."""
        import anyio

        if self.spec.url is None:
            with anyio.move_on_after(LAST_WORDS_S):
                await self._over.wait()
        if self._scope is not None:
            self._scope.cancel()
        with anyio.move_on_after(LAST_WORDS_S):
            await self._over.wait()

    # --- how it is reached ---------------------------------------------------------------------

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Any]:
        if self.spec.url is None:
            async with self._process() as streams:
                yield _Entered(streams)
            return
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        async def note(response: httpx2.Response) -> None:
            if response.status_code >= 400:
                self._status = f"it answered {response.status_code} {response.reason_phrase}"

        http_client = httpx2.AsyncClient(
            headers=dict(self.spec.headers), timeout=httpx2.Timeout(30.0, read=None),
            event_hooks={"response": [note]},
        )  # fmt: skip
        async with (
            http_client as http,
            streamable_http_client(self.spec.url, http_client=http) as streams,
        ):
            yield _Entered(streams)

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Any]:
        from mcp import StdioServerParameters, stdio_client

        command, args = str(self.spec.command), list(self.spec.args)
        if sys.platform != "win32":
            command, args = sys.executable, ["-I", "-S", keeper.__file__, command, *args]
        # Not where we were started: code may have left modules there that `python -m`, or settings
        # that npx, would find first.
        cwd = self.spec.cwd or _home()
        parameters = StdioServerParameters(
            command=command, args=args, env=dict(self.spec.env), cwd=cwd
        )
        if sys.platform == "win32":  # its loop cannot read such a pipe: there a call notices
            with os.fdopen(os.open(os.devnull, os.O_WRONLY), "w") as nowhere:
                async with stdio_client(parameters, errlog=nowhere) as streams:
                    yield streams
            return
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as errors:
            async with self._hearing(reading), stdio_client(parameters, errlog=errors) as streams:
                # Ours is closed: the end of what the process writes is then the end of it.
                errors.close()
                yield streams

    @asynccontextmanager
    async def _hearing(self, descriptor: int) -> AsyncIterator[None]:
        """Keep the last of what a process writes to stderr, and notice its end."""
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: _Errors(self), pipe)
        try:
            yield
        finally:
            transport.close()

    def heard(self, piece: bytes) -> None:
        """More of what the process writes to stderr."""
        self._last_words = (self._last_words + piece)[-LAST_WORDS:]

    def heard_all(self) -> None:
        """The process has ended."""
        self._has_ended = True
        if self._scope is not None and not self._closing:
            self._scope.cancel()

    # --- words ---------------------------------------------------------------------------------

    def _why(self, error: Exception) -> str:
        if self._client is None and self.state == "starting":
            said = self._said() or _words(error)
            return f"The MCP server {self.spec.name} did not start: {said}"
        return f"The MCP server {self.spec.name} ended: {self._said() or _words(error)}"

    def _gone(self) -> str:
        if self.problem is not None:
            return self.problem
        how = "did not start" if self.state == "starting" else "ended"
        said = self._said()
        return f"The MCP server {self.spec.name} {how}{f': {said}' if said else '.'}"

    def _said(self) -> str:
        """The last lines of the process on one, or what HTTP server answered."""
        if self.spec.url is not None:
            return self._status
        text = self._last_words.decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " / ".join(lines[-2:])[-SHOWN_WORDS:]

    def _without_secrets(self, text: str) -> str:
        for secret in self.spec.secrets:
            if len(secret) >= 4:
                text = text.replace(secret, "********")
        return "".join(char if char.isprintable() else " " for char in text)


class _Entered:
    """Streams that are open already, as the context that the package's client wants."""

    def __init__(self, streams: Any) -> None:
        self._streams = streams

    async def __aenter__(self) -> Any:
        return self._streams

    async def __aexit__(self, *_: object) -> None:
        return None


class _Errors(asyncio.Protocol):
    """The reading end of a server's stderr."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def data_received(self, data: bytes) -> None:
        self._connection.heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.heard_all()


def _about() -> Any:
    from mcp_types import Implementation

    from gpt_code_ui import __version__

    return Implementation(name="gpt-code-ui", version=__version__)


async def _listed(client: "Client") -> tuple[ToolFacts, ...]:
    """All tools of a server, page by page."""
    if client.server_capabilities.tools is None:
        return ()
    found: list[ToolFacts] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [_facts(tool) for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            break
    return tuple(found[:MOST_TOOLS])


def _facts(tool: Any) -> ToolFacts:
    notes = tool.annotations
    return ToolFacts(
        name=tool.name,
        description=tool.description or tool.title or "",
        schema=dict(tool.input_schema or {}),
        read_only=bool(notes is not None and notes.read_only_hint),
    )


async def _stop(call: _Call) -> None:
    call.cancelled = True
    if call.scope is not None:
        call.scope.cancel()


def _leaf(error: BaseException) -> BaseException:
    """The first real error in groups of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _words(error: BaseException) -> str:
    leaf = _leaf(error)
    return (
        str(leaf).strip().splitlines()[0][:SHOWN_WORDS]
        if str(leaf).strip()
        else type(leaf).__name__
    )


def _is_closed(error: BaseException) -> bool:
    """Whether the connection itself is gone, not only this call."""
    import anyio
    import httpx2
    from mcp.shared.exceptions import MCPError
    from mcp_types import CONNECTION_CLOSED

    leaf = _leaf(error)
    if isinstance(leaf, MCPError):
        return leaf.code == CONNECTION_CLOSED
    return isinstance(leaf, OSError | httpx2.TransportError | anyio.ClosedResourceError)


def _home() -> str | None:
    """None where there is no home folder: then where we were started."""
    try:
        return str(Path.home())
    except RuntimeError:
        return None
