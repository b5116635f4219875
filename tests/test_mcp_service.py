"""``gptcode mcp`` as another assistant has it: the official client drives the real command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import Implementation

from tests.test_cli import ROOT, running

DEADLINE = 60.0
STEPS = """import time
for n in range(600):
    print("step", n, flush=True)
    time.sleep(0.1)"""


def drive(scenario: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        with anyio.fail_after(DEADLINE):
            await scenario()

    anyio.run(within)


@asynccontextmanager
async def client(data: Path, *flags: str, mode: Any = "auto") -> AsyncIterator[Client]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "gpt_code_ui", "mcp", "--data-dir", str(data), *flags],
        env={"PYTHONPATH": str(ROOT), "GPTCODE_ALLOW_ROOT": "1"},
        cwd=data.parent,
    )
    about = Implementation(name="assistant", version="1")
    async with Client(parameters, mode=mode, client_info=about) as connected:
        yield connected


def words(result: Any) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_whole_session(data_dir: Path, mode: str) -> None:
    async def scenario() -> None:
        async with client(data_dir, mode=mode) as other:
            names = [tool.name for tool in (await other.list_tools()).tools]
            assert names == [
                "execute_code", "list_files", "read_file", "write_file", "read_output",
                "restart_kernel", "interrupt",
            ]  # fmt: skip
            wrote = await other.call_tool(
                "write_file", {"path": "a/in.csv", "content": "x\n1\n2\n"}
            )
            assert words(wrote) == "a/in.csv: 6 bytes written"
            ran = await other.call_tool(
                "execute_code", {"code": "x = open('a/in.csv').read()\nprint(x)\nlen(x)"}
            )
            assert (words(ran), ran.is_error) == ("x\n1\n2\n\n6", False)
            failed = await other.call_tool("execute_code", {"code": "1 / 0"})
            assert failed.is_error and "ZeroDivisionError: division by zero" in words(failed)
            figure = await other.call_tool("execute_code", {"code": FIGURE})
            [image] = [block for block in figure.content if block.type == "image"]
            assert image.mime_type == "image/png" and image.data.startswith("iVBOR")
            assert words(await other.call_tool("list_files")) == "a/in.csv  6 bytes"
            part = await other.call_tool("read_file", {"path": "a/in.csv", "offset": 2, "limit": 2})
            assert words(part) == "1\n\n[bytes 2 to 4 of 6; go on with offset 4]"
            long = await other.call_tool(
                "execute_code", {"code": "for n in range(9999): print('line', n)"}
            )
            assert "[shortened: read_output(cell=4) reads all of it]" in words(long)
            more = await other.call_tool("read_output", {"cell": 4, "lines": "5001-5002"})
            assert words(more) == "5001: line 5000\n5002: line 5001"
            [resource] = (await other.list_resources()).resources
            assert (resource.uri, resource.size) == ("workspace:///a/in.csv", 6)
            [content] = (await other.read_resource(resource.uri)).contents
            assert content.text == "x\n1\n2\n"  # type: ignore[union-attr]
            await other.call_tool("restart_kernel")
            gone = await other.call_tool("execute_code", {"code": "x"})
            assert gone.is_error and "NameError" in words(gone)

    drive(scenario)


FIGURE = (
    "import base64\nfrom IPython.display import Image\n"
    "Image(data=base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='))"
)


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("read_file", {"path": "missing.txt"}, "missing.txt"),
        ("read_file", {"path": "missing.txt", "limit": 1}, "missing.txt"),
        ("read_file", {"path": "../secret"}, "secret"),
        ("execute_code", {}, "execute_code needs code"),
        ("execute_code", {"code": 1}, "code has to be text"),
        ("execute_code", {"code": "1", "cell": 2}, "takes no cell"),
        ("write_file", {"path": "a", "content": "?", "encoding": "base64"}, "not valid base64"),
        ("read_output", {"cell": 9}, "There is no cell 9"),
        ("format_disk", {}, "no tool format_disk"),
        ("execute_code", {"code": "input('name? ')"}, "cannot be answered here"),
    ],
)
def test_what_cannot_be_done_is_told(
    shared: Path, tool: str, arguments: dict[str, object], said: str
) -> None:
    async def scenario() -> None:
        async with client(shared) as other:
            result = await other.call_tool(tool, arguments)
            assert result.is_error and said in words(result)

    drive(scenario)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "data"


def test_with_a_running_gptcode_it_shows_there(data_dir: Path) -> None:
    with running(data_dir) as gptcode:

        async def scenario() -> None:
            async with client(data_dir) as one, client(data_dir) as two:
                for number, other in enumerate((one, two)):
                    ran = await other.call_tool("execute_code", {"code": f"x = {number}\nx"})
                    assert words(ran) == str(number)
                assert words(await one.call_tool("execute_code", {"code": "x"})) == "0"

        drive(scenario)
        rows = gptcode.call("GET", "/api/conversations")[1]["conversations"]
        assert [row["title"] for row in rows] == ["assistant (MCP)"] * 2
        cells = []
        for row in rows:
            parts = gptcode.call("GET", f"/api/conversations/{row['id']}")[1]["turns"][0]["parts"]
            cells.append([part["code"] for part in parts])
        assert sorted(cells) == [["x = 0\nx", "x"], ["x = 1\nx"]]


FIRST = "where = 'a.txt'\nn = open(where, 'w').write('hello')"
OUTSIDE = "import os\nopen('made', 'w').write('1')\nprint(os.listdir('/etc'))"


@pytest.mark.parametrize("attached", [False, True])
def test_what_would_be_asked_is_refused_and_told(data_dir: Path, attached: bool) -> None:
    async def scenario() -> None:
        async with client(data_dir) as other:
            refused = await other.call_tool("execute_code", {"code": OUTSIDE})
            assert refused.is_error
            said = words(refused)
            assert said.startswith("Nobody is here to allow this, so it was refused: ")
            assert "looks outside the working folder" in said and "(line 3)" in said
            assert "--approve never" in said
            assert words(await other.call_tool("list_files")) == "[no files yet]"
            # A name from an earlier cell is followed; without that cell it would be refused.
            unknown = await other.call_tool("execute_code", {"code": "print(open(where).read())"})
            assert "cannot be seen from the code" in words(unknown)
            for code in (FIRST, "print(open(where).read())"):
                ran = await other.call_tool("execute_code", {"code": code})
                assert not ran.is_error, words(ran)

    if attached:
        with running(data_dir) as gptcode:
            drive(scenario)
            [row] = gptcode.call("GET", "/api/conversations")[1]["conversations"]
            turns = gptcode.call("GET", f"/api/conversations/{row['id']}")[1]["turns"]
            assert [part["code"] for part in turns[0]["parts"]] == [
                FIRST,
                "print(open(where).read())",
            ]
    else:
        drive(scenario)


def test_files_of_the_person_are_kept(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "here.txt").write_text("hello")

    async def scenario() -> None:
        async with client(data_dir, str(folder)) as other:
            for path in ("here.txt", "./here.txt", "sub/../here.txt"):
                wrote = await other.call_tool("write_file", {"path": path, "content": "gone"})
                assert wrote.is_error, path
            assert "here.txt" in words(wrote)
            ran = await other.call_tool("execute_code", {"code": "open('here.txt', 'w')"})
            assert ran.is_error and "that may be yours: here.txt" in words(ran)
            for path, code in (("new.txt", ""), ("drawn.txt", "open('drawn.txt', 'w').close()")):
                if code:
                    made = await other.call_tool("execute_code", {"code": code})
                    assert not made.is_error, words(made)
                for text in ("one", "two"):
                    wrote = await other.call_tool("write_file", {"path": path, "content": text})
                    assert not wrote.is_error, words(wrote)
            again = await other.call_tool("execute_code", {"code": "open('new.txt', 'w').close()"})
            assert not again.is_error, words(again)

    drive(scenario)
    assert (folder / "here.txt").read_text() == "hello"


@pytest.mark.parametrize(
    ("mode", "code", "refused"),
    [("never", "import os\nlen(os.listdir('/etc')) > 0", False), ("always", "1 + 1", True)],
)
def test_the_flag_says_what_is_refused(data_dir: Path, mode: str, code: str, refused: bool) -> None:
    async def scenario() -> None:
        async with client(data_dir, "--approve", mode) as other:
            ran = await other.call_tool("execute_code", {"code": code})
            assert ran.is_error is refused, words(ran)

    drive(scenario)


def test_a_running_gptcode_says_what_is_refused(data_dir: Path) -> None:
    with running(data_dir, "--approve", "always"):

        async def scenario() -> None:
            async with client(data_dir) as other:
                ran = await other.call_tool("execute_code", {"code": "1 + 1"})
                assert ran.is_error and "every run is asked about" in words(ran)

        drive(scenario)


def test_a_folder_that_the_running_one_is_not_in(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    async def scenario() -> None:
        async with client(data_dir, str(folder)) as other:
            result = await other.call_tool("list_files")
            assert result.is_error and "does not work in" in words(result)

    with running(data_dir):
        drive(scenario)


def test_it_works_in_a_folder_in_place(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "here.txt").write_text("hello")

    async def scenario() -> None:
        async with client(data_dir, str(folder)) as other:
            assert words(await other.call_tool("read_file", {"path": "here.txt"})) == "hello"

    drive(scenario)


def test_long_cells_tell_of_themselves_and_are_interrupted(data_dir: Path, tmp_path: Path) -> None:
    told: list[tuple[float, str | None]] = []
    seen = anyio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))
        if "step" in str(message):
            seen.set()

    async def scenario() -> None:
        async with client(data_dir) as other:
            code = STEPS
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:

                    async def run() -> None:
                        await other.call_tool(
                            "execute_code", {"code": code}, progress_callback=hear
                        )

                    group.start_soon(run)
                    await seen.wait()
                    scope.cancel()
            began = time.monotonic()
            after = await other.call_tool("execute_code", {"code": "print('n is', n < 600)"})
            assert words(after) == "n is True"
            assert time.monotonic() - began < 10

    drive(scenario)
    assert "running for" in str(told[-1][1])


def start(data: Path, *flags: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "gpt_code_ui", "mcp", "--data-dir", str(data), *flags],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=data.parent, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize("how", ["stdin", "SIGTERM"])
def test_it_ends_with_all_that_it_started(data_dir: Path, tmp_path: Path, how: str) -> None:
    with start(data_dir) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = (
            {"id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-06-18", "capabilities": {},
                "clientInfo": {"name": "by hand", "version": "1"}}},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/call", "params": {
                "name": "execute_code", "arguments": {"code": "print('ready')"}}},
        )  # fmt: skip
        for line in lines:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **line}) + "\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert answers[0]["result"]["serverInfo"]["name"] == "gpt-code-ui"
        assert answers[1]["result"]["content"] == [{"type": "text", "text": "ready"}]
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        slow = {"name": "execute_code", "arguments": {"code": "while True: pass"}}
        call = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": slow}
        process.stdin.write(json.dumps(call) + "\n")
        process.stdin.flush()
        began = time.monotonic()
        if how == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5
        for said in process.stdout:
            json.loads(said)  # nothing but the protocol
    assert psutil.wait_procs(children, timeout=3)[1] == []
    assert not (data_dir / "instance.json").exists()


def test_what_is_wrong_with_a_start_is_one_line(data_dir: Path) -> None:
    with start(data_dir, "--colour") as process:
        out, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (2, "")
    assert errors.startswith("gptcode: unknown flag --colour") and errors.count("\n") == 1


def test_a_resource_that_is_not_there(data_dir: Path) -> None:
    async def scenario() -> None:
        async with client(data_dir) as other:
            with pytest.raises(MCPError, match=r"nothing\.txt"):
                await other.read_resource("workspace:///nothing.txt")

    drive(scenario)
