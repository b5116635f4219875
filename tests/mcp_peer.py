"""An MCP server written with the official package, for the product to connect to.

    python -m tests.mcp_peer [--http] [--silent] [--stubborn] [--crash TEXT]

Over stdio, or with ``--http`` over streamable HTTP on a port that is printed as the only line.
``--silent`` never answers, ``--crash`` writes TEXT to stderr and ends, ``--stubborn`` ends neither
when stdin closes nor on SIGTERM.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    CallToolResult,
    EmbeddedResource,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
server = MCPServer("peer", log_level="ERROR")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> dict[str, int]:
    """Add two numbers."""
    return {"sum": a + b}


@server.tool(structured_output=False)
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool(structured_output=False)
def big(size: int) -> str:
    """Much text."""
    return "a" * size + "END"


@server.tool(structured_output=False)
def fail(why: str) -> str:
    """Fail."""
    raise ToolError(why)


@server.tool(structured_output=False)
def picture() -> Image:
    """A picture."""
    return Image(data=PNG, format="png")


@server.tool(structured_output=False)
def document() -> CallToolResult:
    """A resource as a part of the result."""
    resource = TextResourceContents(uri="memo://1", text="what is in it", mime_type="text/plain")
    return CallToolResult(
        content=[
            TextContent(type="text", text="here:"),
            EmbeddedResource(type="resource", resource=resource),
        ]
    )


@server.tool(name="odd näme/☃", structured_output=False)
def odd() -> str:
    """A tool with a name that no API takes."""
    return "odd"


@server.tool(structured_output=False)
async def slow(marker: str) -> str:
    """Waits until it is cancelled, and writes that to a file."""
    Path(marker).write_text("started")
    try:
        await asyncio.sleep(60)
    except BaseException:
        Path(marker).write_text("cancelled")
        raise
    return "never"


@server.tool(structured_output=False)
def environment() -> str:
    """The names of the variables of this process, and where it lives."""
    return " ".join(sorted(os.environ)) + f" pid={os.getpid()}"


@server.tool(structured_output=False)
async def grow(context: Context) -> str:
    """One more tool from now on."""
    server.add_tool(lambda: "new", name="grown", description="New.", structured_output=False)
    await context.notify_tools_changed()
    await context.session.send_tool_list_changed()
    return "grown"


@server.tool(structured_output=False)
def die() -> str:
    """End this process in the middle of the call."""
    sys.stderr.write("out of luck\n")
    sys.stderr.flush()
    os._exit(3)


def serve_http() -> None:
    """On any free port, for those who send the right header."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        app = OnlyKnown(server.streamable_http_app())
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[sock])


class OnlyKnown:
    """Refuses who does not send the header ``X-Key: peer-secret``."""

    def __init__(self, app: Starlette) -> None:
        self._app: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, Any] = dict(scope.get("headers", ()))
        if scope["type"] == "http" and headers.get(b"x-key") != b"peer-secret":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"who are you?"})
            return
        await self._app(scope, receive, send)


def main(flags: list[str]) -> None:
    """Serve as the flags say."""
    if "--crash" in flags:
        sys.stderr.write(flags[flags.index("--crash") + 1] + "\n")
        sys.exit(4)
    if "--silent" in flags:
        sys.stdin.read()
        return
    if "--stubborn" in flags:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "--http" in flags:
        serve_http()
        return
    server.run()
    while "--stubborn" in flags:
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1:])
