"""``gptcode mcp``: a conversation's kernel, files and outputs as an MCP server over stdio.

The only module that is a server through the ``mcp`` package. Cells run one at a time; a call that
is cancelled, or whose client goes away, interrupts its cell. What goes wrong comes back as the
result of the call, in words for a model.
"""

import logging
import mimetypes
import os
import signal
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from gpt_code_ui.errors import GptCodeError, InvalidValue
from gpt_code_ui.history import told_report
from gpt_code_ui.mcp.host import Host
from gpt_code_ui.mcp.permission import Permission
from gpt_code_ui.mcp.remote import Remote
from gpt_code_ui.mcp.service_tools import INSTRUCTIONS, TOOLS, Arguments
from gpt_code_ui.plain_text import plain
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import CellPart, DisplayDataOutput, ExecuteResultOutput
from gpt_code_ui.read_output import ReadOutput

if TYPE_CHECKING:
    import anyio
    from mcp.server.lowlevel import Server

log = logging.getLogger(__name__)

SCHEME = "workspace:///"
PROGRESS_S = 1.0
CLOSE_S = 4.0
MOST_FIGURES = 8
RESOURCE_BYTES = 5 << 20
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
DEFAULT_TITLE = "MCP"


def serve(host: Host, permission: Permission, version: str, output_bytes: int) -> int:
    """Serve stdin and stdout until stdin ends or a signal comes. Does not return: it exits."""
    import anyio

    def finish() -> None:
        overdue = threading.Timer(CLOSE_S, os._exit, args=(1,))
        overdue.daemon = True
        overdue.start()
        host.close()
        # A thread that waits for stdin cannot be ended otherwise.
        os._exit(0)

    async def main() -> None:
        from mcp.server.stdio import stdio_server

        async with anyio.create_task_group() as group:
            group.start_soon(_end_on_signal, finish)
            server = Service(host, permission, output_bytes).server(version)
            async with stdio_server() as (reading, writing):
                await server.run(reading, writing, server.create_initialization_options())
            finish()

    anyio.run(main)
    return 0


async def _end_on_signal(finish: Callable[[], None]) -> None:
    import anyio

    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            threading.Thread(target=finish, name="finish", daemon=True).start()


class Service:
    """The handlers of the server, over one conversation."""

    def __init__(self, host: Host, permission: Permission, output_bytes: int) -> None:
        self._host = host
        self._permission = permission
        self._output_bytes = output_bytes
        self._title = DEFAULT_TITLE
        self._one_cell: anyio.Lock | None = None

    def server(self, version: str) -> "Server[Any]":
        """The server, with its handlers."""
        import anyio
        from mcp.server.lowlevel import Server

        self._one_cell = anyio.Lock()
        return Server(
            "gpt-code-ui", version=version, title="GPT-Code UI", instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools, on_call_tool=self._call_tool,
            on_list_resources=self._list_resources, on_read_resource=self._read_resource,
        )  # fmt: skip

    # --- tools ---------------------------------------------------------------------------------

    async def _list_tools(self, context: Any, params: Any) -> Any:
        from mcp_types import ListToolsResult, Tool, ToolAnnotations

        rows = [
            Tool(
                name=row.name, description=row.description, input_schema=row.schema,
                annotations=ToolAnnotations(read_only_hint=row.read_only),
            )
            for row in TOOLS
        ]  # fmt: skip
        return ListToolsResult(tools=rows)

    async def _call_tool(self, context: Any, params: Any) -> Any:
        from mcp_types import CallToolResult

        self._learn_title(context)
        try:
            arguments = Arguments(params.name, params.arguments)
            if params.name == "execute_code":
                return await self._execute(context, arguments.text("code"))
            content = await self._in_thread(lambda: self._answer(params.name, arguments))
            return CallToolResult(content=content)
        except GptCodeError as error:
            said = " ".join(filter(None, (error.message, error.hint)))
        except (OSError, HTTPException) as error:
            said = f"GPT-Code UI cannot be reached: {error}"
        except Exception:
            log.exception("tool %s failed", params.name)
            said = "The tool failed."
        return CallToolResult(content=[_text(said)], is_error=True)

    async def _execute(self, context: Any, code: str) -> Any:
        import anyio
        from mcp_types import CallToolResult

        assert self._one_cell is not None
        heard: list[str] = []
        found: list[tuple[CellPart, str]] = []
        async with self._one_cell:
            remote = await self._in_thread(self._remote)
            await self._in_thread(lambda: self._permission.to_run(remote, code))
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(_report, context, heard)
                    run = lambda: found.append(remote.run(code, lambda event: _note(event, heard)))  # noqa: E731
                    await self._in_thread(run)
                    group.cancel_scope.cancel()
            except anyio.get_cancelled_exc_class():
                with anyio.CancelScope(shield=True):
                    await self._in_thread(remote.interrupt)
                raise
            except BaseExceptionGroup as group_error:
                raise _first(group_error) from group_error
        cell, note = found[0]
        report = told_report(cell, output_bytes=self._output_bytes)
        content = [_text("\n".join(filter(None, (report, note)))), *_figures(cell)]
        return CallToolResult(content=content, is_error=cell.status != "ok")

    def _answer(self, name: str, arguments: Arguments) -> list[Any]:
        """What a tool other than execute_code gives."""
        remote = self._remote()
        match name:
            case "list_files":
                return [_text(_listing(remote.files()))]
            case "read_file":
                return self._read_file(remote, arguments)
            case "write_file":
                path, content = arguments.text("path"), arguments.content()
                self._permission.to_write(remote, path)
                told = remote.write(path, content)
                return [_text(f"{told['path']}: {told['size']:,} bytes written")]
            case "read_output":
                reader = ReadOutput(remote.cells, remote.output_file)
                return [_text(reader.run(arguments.json(), Stop()))]
            case "restart_kernel":
                remote.kernel("restart")
                return [_text("The kernel is fresh: all variables are gone, the files stay.")]
            case "interrupt":
                remote.kernel("interrupt")
                return [_text("What ran was interrupted.")]
            case _:
                raise InvalidValue(f"There is no tool {name}.")

    def _read_file(self, remote: Remote, arguments: Arguments) -> list[Any]:
        from mcp_types import ImageContent

        path = arguments.text("path")
        offset, limit = arguments.number("offset", 0), arguments.number("limit", 32_768)
        kind = mimetypes.guess_type(path)[0] or ""
        if kind in PICTURES:
            content, size = remote.read(path, 0, RESOURCE_BYTES)
            if size <= RESOURCE_BYTES:
                data = b64encode(content).decode()
                return [ImageContent(type="image", data=data, mime_type=kind)]
        content, size = remote.read(path, offset, max(1, min(limit, 1 << 20)))
        if b"\0" in content:
            raise InvalidValue(
                f"{path} is no text ({size:,} bytes).",
                hint="Read it with code that knows its kind.",
            )
        end = offset + len(content)
        more = f"\n[bytes {offset:,} to {end:,} of {size:,}; go on with offset {end}]"
        return [_text(content.decode("utf-8", "replace") + (more if end < size else ""))]

    # --- resources -----------------------------------------------------------------------------

    async def _list_resources(self, context: Any, params: Any) -> Any:
        from mcp_types import ListResourcesResult, Resource

        self._learn_title(context)
        files = await self._in_thread(lambda: self._remote().files())
        rows = [
            Resource(
                uri=SCHEME + quote(file["path"]), name=file["path"], size=file["size"],
                mime_type=mimetypes.guess_type(file["path"])[0],
            )
            for file in files
        ]  # fmt: skip
        return ListResourcesResult(resources=rows)

    async def _read_resource(self, context: Any, params: Any) -> Any:
        from mcp.shared.exceptions import MCPError
        from mcp_types import (
            INVALID_PARAMS,
            BlobResourceContents,
            ReadResourceResult,
            TextResourceContents,
        )

        uri = str(params.uri)
        path = unquote(uri.removeprefix(SCHEME))
        kind = mimetypes.guess_type(path)[0]
        try:
            content, size = await self._in_thread(
                lambda: self._remote().read(path, 0, RESOURCE_BYTES)
            )
        except GptCodeError as error:
            raise MCPError(INVALID_PARAMS, error.message) from error
        if size > RESOURCE_BYTES:
            raise MCPError(INVALID_PARAMS, f"{path} has {size:,} bytes: read it with read_file.")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            blob = b64encode(content).decode()
            return ReadResourceResult(
                contents=[BlobResourceContents(uri=uri, blob=blob, mime_type=kind)]
            )
        return ReadResourceResult(
            contents=[TextResourceContents(uri=uri, text=text, mime_type=kind)]
        )

    # --- inside --------------------------------------------------------------------------------

    def _remote(self) -> Remote:
        return self._host.remote(self._title)

    def _learn_title(self, context: Any) -> None:
        """The conversation has the name of the program that asks for it."""
        params = context.session.client_params
        info = params.client_info if params is not None else None
        if info is not None and info.name.strip():
            self._title = f"{(info.title or info.name).strip()[:80]} (MCP)"

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        import anyio.to_thread

        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


async def _report(context: Any, heard: Sequence[str]) -> None:
    """Tell every second how long it has been, and the last line that was printed."""
    import anyio

    began = time.monotonic()
    while True:
        await anyio.sleep(PROGRESS_S)
        seconds = time.monotonic() - began
        last = f": {heard[-1]}" if heard else ""
        await context.session.report_progress(seconds, None, f"running for {seconds:.0f} s{last}")


def _note(event: dict[str, Any], heard: list[str]) -> None:
    """Keep the last line that a cell printed."""
    text = event.get("output", {}).get("text") if event["type"] == "cell_output" else None
    if isinstance(text, str) and (lines := plain(text).strip().splitlines()):
        heard[:] = [lines[-1][:200]]


def _figures(cell: CellPart) -> list[Any]:
    """The figures of a cell, the first few of them."""
    from mcp_types import ImageContent

    found = []
    for shown in cell.outputs:
        if not isinstance(shown.output, DisplayDataOutput | ExecuteResultOutput):
            continue
        kind = next((one for one in PICTURES if one in shown.output.data), None)
        data = shown.output.data.get(kind) if kind else None
        if kind and isinstance(data, str) and _is_base64(data):
            found.append(ImageContent(type="image", data=data.strip(), mime_type=kind))
    return found[:MOST_FIGURES]


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text))
    except ValueError:
        return False


def _listing(files: Sequence[dict[str, Any]]) -> str:
    rows = [f"{file['path']}  {file['size']:,} bytes" for file in files]
    return "\n".join(rows) or "[no files yet]"


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _text(text: str) -> Any:
    from mcp_types import TextContent

    return TextContent(type="text", text=text)
