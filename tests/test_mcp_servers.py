"""Servers of others, written with the official package, over real pipes and real HTTP."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from gpt_code_ui.errors import InvalidValue, NotFound, ToolFailed
from gpt_code_ui.mcp.book import FILE, SECRETS, McpBook
from gpt_code_ui.mcp.servers import McpServers
from gpt_code_ui.mcp.tools import McpTool
from gpt_code_ui.ports import Stop
from gpt_code_ui.providers import KeyStore
from gpt_code_ui.settings import MASK, Settings, load

ROOT = Path(__file__).parent.parent
DEADLINE = 30.0


def row(name: str, *flags: str, **fields: object) -> dict[str, Any]:
    """A server over stdio."""
    args = ["-m", "tests.mcp_peer", *flags]
    return {"name": name, "command": sys.executable, "args": args, "cwd": str(ROOT), **fields}


def settings(data: Path, *rows: dict[str, Any], environ: dict[str, str] | None = None) -> Settings:
    given = {"GPTCODE_MCP_SERVERS": json.dumps(rows)} if rows else {}
    return load({"data_dir": str(data)}, given | (environ or {}), data.parent)


def book(data: Path, *rows: dict[str, Any], conceal: Callable[[str], None] = print) -> McpBook:
    secrets = KeyStore(data / SECRETS, vault=lambda: None)
    return McpBook(settings(data, *rows), secrets, conceal=conceal)


@contextmanager
def servers(data: Path, *rows: dict[str, Any], **options: Any) -> Iterator[McpServers]:
    options = {"start_s": DEADLINE, "call_s": DEADLINE, "output_bytes": 8192} | options
    made = McpServers(book(data, *rows), **options)
    try:
        yield made
    finally:
        made.close()


def named(tools: list[McpTool]) -> dict[str, McpTool]:
    return {tool.spec.name: tool for tool in tools}


def call(tool: McpTool, stop: Stop | None = None, **arguments: object) -> str:
    return tool.run(json.dumps(arguments), stop or Stop())


def states(made: McpServers) -> dict[str, tuple[str, str | None]]:
    return {one["name"]: (one["state"], one["problem"]) for one in made.shown()}


def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it is true."""
    deadline, pause = time.monotonic() + DEADLINE, threading.Event()
    while not (value := condition()):
        assert time.monotonic() < deadline
        pause.wait(0.02)
    return value


def test_a_server_is_not_started_among_files_that_code_left(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "planted.py").write_text(f"open({str(marker)!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    one = {"name": "a", "command": sys.executable, "args": ["-m", "planted"]}
    with servers(data_dir, one) as made:
        made.check("a")
        state, problem = states(made)["a"]
    assert (state, marker.exists()) == ("failed", False)
    assert "No module named planted" in str(problem)


def test_tools_over_stdio(data_dir: Path) -> None:
    with servers(data_dir, row("my peer", trust=True)) as made:
        assert states(made) == {"my peer": ("idle", None)}
        tools = named(made.tools(Stop()))
        assert set(tools) >= {"my_peer__add", "my_peer__echo", "my_peer__slow"}
        [odd] = [one for one in tools if "odd" in one]
        assert odd.isascii() and len(odd) <= 64 and call(tools[odd]) == "odd"
        add = tools["my_peer__add"]
        assert (add.server, add.spec.description) == (
            "my peer",
            "Add two numbers. (MCP server my peer)",
        )
        assert set(add.spec.parameters["properties"]) == {"a", "b"}
        assert json.loads(call(add, a=2, b=40)) == {"sum": 42}
        assert call(tools["my_peer__echo"], text="héllo ☃") == "héllo ☃"
        assert call(tools["my_peer__picture"]) == "[image image/png, 70 bytes, not shown to you]"
        assert call(tools["my_peer__document"]) == "here:\n[resource memo://1]\nwhat is in it"
        big = call(tools["my_peer__big"], size=1_000_000)
        assert len(big.encode()) <= 8192 and big.endswith("END")
        assert "of 1,000,003 bytes left out" in big
        with pytest.raises(ToolFailed, match="no such thing"):
            call(tools["my_peer__fail"], why="no such thing")
        with pytest.raises(InvalidValue, match="no JSON object"):
            tools["my_peer__echo"].run("[1", Stop())
        assert add.reasons("{}") == []
        [reason] = tools["my_peer__echo"].reasons("{}")
        assert reason.text == "calls echo of the MCP server my peer"
        assert states(made) == {"my peer": ("ready", None)}


def test_a_process_gets_no_key_of_ours_and_ends_with_us(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-there")
    with servers(data_dir, row("peer", env={"ITS_OWN": "value-of-its-own"})) as made:
        told = call(named(made.tools(Stop()))["peer__environment"])
        assert "ITS_OWN" in told and "PATH" in told and "OPENAI_API_KEY" not in told
        process = psutil.Process(int(told.rpartition("pid=")[2]))
        assert process.is_running()
    assert psutil.wait_procs([process], timeout=3)[1] == []


def test_one_that_will_not_end_is_killed_in_time(data_dir: Path) -> None:
    with servers(data_dir, row("peer", "--stubborn")) as made:
        told = call(named(made.tools(Stop()))["peer__environment"])
        process = psutil.Process(int(told.rpartition("pid=")[2]))
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert psutil.wait_procs([process], timeout=3)[1] == []


def test_over_http_with_a_header(data_dir: Path) -> None:
    with http_peer() as url:
        rows = (
            {"name": "far", "url": url, "headers": {"X-Key": "peer-secret"}},
            {"name": "stranger", "url": url},
            {"name": "nobody", "url": "http://127.0.0.1:1/mcp"},
        )
        with servers(data_dir, *rows) as made:
            # A busy machine may need a second start: it is made with the next turn.
            until(lambda: made.tools(Stop()) != [])
            tools = named(made.tools(Stop()))
            assert {tool.server for tool in tools.values()} == {"far"}
            assert call(tools["far__echo"], text="over HTTP") == "over HTTP"
            told = states(made)
            assert told["far"] == ("ready", None)
            assert told["stranger"][0] == told["nobody"][0] == "failed"
            assert "401" in str(told["stranger"][1])
            assert "The MCP server nobody did not start: " in str(told["nobody"][1])


@contextmanager
def http_peer() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.mcp_peer", "--http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/mcp"
        finally:
            process.kill()


def test_a_stop_cancels_a_call_at_once(data_dir: Path, tmp_path: Path) -> None:
    marker, stop, heard = tmp_path / "marker", Stop(), []
    with servers(data_dir, row("peer")) as made:
        slow = named(made.tools(Stop()))["peer__slow"]

        def run() -> None:
            with pytest.raises(ToolFailed, match="was stopped"):
                call(slow, stop, marker=str(marker))
            heard.append(time.monotonic())

        thread = threading.Thread(target=run)
        thread.start()
        until(marker.exists)
        asked = time.monotonic()
        stop.request()
        thread.join(DEADLINE)
        assert heard[0] - asked < 1
        until(lambda: marker.read_text() == "cancelled")
        assert states(made) == {"peer": ("ready", None)}


def test_a_call_has_its_time(data_dir: Path, tmp_path: Path) -> None:
    with servers(data_dir, row("peer", timeout=1)) as made:
        slow = named(made.tools(Stop()))["peer__slow"]
        with pytest.raises(ToolFailed, match="did not answer within 1 s") as failure:
            call(slow, marker=str(tmp_path / "marker"))
        assert failure.value.hint is not None
        assert call(named(made.tools(Stop()))["peer__echo"], text="still there") == "still there"


def test_new_tools_are_offered(data_dir: Path) -> None:
    with servers(data_dir, row("peer")) as made:
        tools = named(made.tools(Stop()))
        assert "peer__grown" not in tools
        assert call(tools["peer__grow"]) == "grown"
        grown = until(lambda: named(made.tools(Stop())).get("peer__grown"))
        assert call(grown) == "new"


def test_one_that_dies_is_told_of_and_comes_back(data_dir: Path) -> None:
    with servers(data_dir, row("peer")) as made:
        with pytest.raises(ToolFailed, match=r"The MCP server peer ended: .*out of luck"):
            call(named(made.tools(Stop()))["peer__die"])
        problem = until(lambda: states(made)["peer"][1])
        assert problem == "The MCP server peer ended: out of luck / it ended with code 3"
        assert call(named(made.tools(Stop()))["peer__echo"], text="back") == "back"
        assert states(made) == {"peer": ("ready", None)}


def test_those_that_do_not_come_up_hold_nobody(data_dir: Path) -> None:
    rows = (
        row("broken", "--crash", "no licence: key-0123456789", env={"KEY": "key-0123456789"}),
        row("hangs", "--silent"),
        {"name": "missing", "command": "/no/such/program"},
        row("off", enabled=False),
        row("good"),
    )
    with servers(data_dir, *rows, start_s=1.0) as made:
        made.tools(Stop())
        until(lambda: states(made)["good"][0] == "ready")
        tools = made.tools(Stop())
        assert {tool.server for tool in tools} == {"good"}
        began = time.monotonic()
        assert len(made.tools(Stop())) == len(tools)
        assert time.monotonic() - began < 1
        told = states(made)
        assert told["hangs"] == ("starting", None)
        assert told["off"] == ("off", None)
        assert told["good"] == ("ready", None)
        broken, missing = (
            until(lambda name=name: states(made)[name][1]) for name in ("broken", "missing")
        )
        assert "did not start: no licence: ******** / it ended with code 4" in broken
        assert "/no/such/program cannot be run: No such file or directory" in missing


def test_a_stop_ends_the_wait_for_servers(data_dir: Path) -> None:
    stop = Stop()
    with servers(data_dir, row("hangs", "--silent")) as made:
        threading.Timer(0.2, stop.request).start()
        began = time.monotonic()
        assert made.tools(stop) == []
        assert time.monotonic() - began < 2


def test_failures_are_not_repeated_at_once(data_dir: Path) -> None:
    now = [0.0]
    crash = {"name": "broken", "command": "/no/such/program"}
    with servers(data_dir, crash, clock=lambda: now[0]) as made:
        starts = set()
        for _ in range(5):
            made.tools(Stop())
            starts.add(made._servers["broken"].connection)
        assert len(starts) == 2  # the second at once, the third only after a pause
        now[0] = 10.0
        made.tools(Stop())
        assert made._servers["broken"].connection not in starts
        assert states(made)["broken"][0] == "failed"


def test_changes_from_the_page(data_dir: Path) -> None:
    with servers(data_dir) as made:
        made.change({"mcpServers": {"a": {**without_name(row("a")), "env": {"K": "secret-of-a"}}}})
        [shown] = made.shown()
        assert (shown["env"], shown["source"], shown["state"]) == ({"K": MASK}, "page", "idle")
        assert made.check("a")["state"] == "ready"
        told = call(named(made.tools(Stop()))["a__environment"])
        assert " K " in f" {told} "
        pid = int(told.rpartition("pid=")[2])
        kept = {k: v for k, v in shown.items() if k not in ("source", "state", "problem", "tools")}
        made.change([kept | {"trust": True}])
        assert not psutil.pid_exists(pid) or psutil.wait_procs([psutil.Process(pid)], timeout=5)
        assert " K " in f" {call(named(made.tools(Stop()))['a__environment'])} "
        with pytest.raises(InvalidValue, match="the value of K of a is not kept"):
            made.change([kept | {"args": ["-m", "another"]}])
        made.change([kept | {"enabled": False}])
        assert made.tools(Stop()) == []
        with pytest.raises(NotFound):
            made.check("a")
    stored = (data_dir / FILE).read_text()
    assert "secret-of-a" not in stored
    assert (data_dir / SECRETS).stat().st_mode & 0o777 == 0o600


def without_name(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "name"}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are ended otherwise there")
def test_a_process_ends_when_we_are_killed(data_dir: Path) -> None:
    code = (
        "import sys, json; from pathlib import Path\n"
        "from tests.test_mcp_servers import *\n"
        "made = McpServers(book(Path(sys.argv[1]), row('peer', '--stubborn')),"
        " start_s=30, call_s=30, output_bytes=8192)\n"
        "print(call(named(made.tools(Stop()))['peer__environment']), flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(data_dir)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        peer = psutil.Process(int(told.rpartition("pid=")[2]))
        process.kill()
    assert psutil.wait_procs([peer], timeout=5)[1] == []
