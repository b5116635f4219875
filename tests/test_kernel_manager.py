"""The manager's process: how it begins, and commands that are none."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.bus import Bus, Receive, memory_pair
from gpt_code_ui.kernel.manager import Manager
from gpt_code_ui.protocol import (
    CellFinished,
    CellStarted,
    Command,
    CommandMessage,
    Event,
    EventMessage,
    Execute,
    InterruptKernel,
    LaunchRecord,
    StartKernel,
    StopKernel,
)

MODULE = "gpt_code_ui.kernel.manager"
ROOT = Path(__file__).resolve().parent.parent


def test_by_hand_it_says_what_it_is() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=b"nonsense\n", capture_output=True, timeout=20, check=False, cwd=ROOT,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (
        2, b"The kernel manager is started by gptcode, not by hand.\n",
    )  # fmt: skip


def test_it_ends_with_its_standard_input_though_nobody_listens(run_dir: Path) -> None:
    folder = run_dir / "run"
    folder.mkdir()
    record = LaunchRecord(
        run_id="r", address=str(folder / "bus"), key="00" * 32, run_dir=str(folder)
    )
    ran = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=record.model_dump_json().encode() + b"\n",
        capture_output=True, timeout=20, check=False, cwd=ROOT,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not run_dir.exists()


def ignore(_present: bool) -> None:
    """The ends of a pair in memory are always there."""


class Scene:
    """A manager in this process, on a bus in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.news = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.bus: Bus | None = None
        record = LaunchRecord(run_id="r", address="", key="", run_dir=str(folder / "run"))
        self.manager = Manager(record, self.connect, adopts=False)

    def connect(self, receive: Receive) -> Bus:
        here, there = memory_pair((self.hear, ignore), (receive, ignore))
        self.bus = here
        return there

    def hear(self, body: bytes) -> None:
        event = EventMessage.model_validate_json(body).event
        self.loop.call_soon_threadsafe(self.take, event)

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.news.set()

    def say(self, command: Command) -> None:
        message = CommandMessage(conversation_id="a", command=command)
        self.say_bytes(message.model_dump_json().encode())

    def say_bytes(self, body: bytes) -> None:
        assert self.bus is not None
        self.bus.send(body)

    async def until(self, condition: Callable[[Event], object]) -> None:
        async with asyncio.timeout(20):
            while not any(condition(event) for event in self.events):
                self.news.clear()
                await self.news.wait()

    async def close(self) -> None:
        await self.manager.close()
        assert self.bus is not None
        self.bus.close()


def play(scene: Callable[[Scene], Any], folder: Path) -> Scene:
    async def act() -> Scene:
        stage = Scene(folder)
        try:
            await scene(stage)
        finally:
            await stage.close()
        return stage

    return asyncio.run(act())


def test_commands_that_are_none_are_dropped(run_dir: Path) -> None:
    async def scene(stage: Scene) -> None:
        stage.say_bytes(b"\xff not json")
        stage.say_bytes(b'{"v": 2, "conversation_id": "a", "command": {"type": "stop_kernel"}}')
        stage.say(InterruptKernel())
        stage.say(StopKernel())
        stage.say(Execute(cell_id="c", code="1", origin="model"))
        await stage.until(lambda e: isinstance(e, CellFinished))

    reason = "No kernel was started for this conversation."
    assert play(scene, run_dir).events == [
        CellStarted(cell_id="c", code="1", origin="model"),
        CellFinished(cell_id="c", status="not_run", reason=reason),
    ]


def test_a_kernel_runs_over_any_bus_and_ends_with_its_manager(run_dir: Path) -> None:
    workspace = run_dir / "w"
    workspace.mkdir()
    pids: list[int] = []

    async def scene(stage: Scene) -> None:
        stage.say(
            StartKernel(
                workspace=str(workspace), python=sys.executable, output_dir=str(run_dir / "out")
            )
        )
        code = "import os; open('pid', 'w').write(str(os.getpid())); os.getpid()"
        stage.say(Execute(cell_id="c", code=code, origin="model"))
        await stage.until(lambda e: isinstance(e, CellFinished))
        pids.append(int((workspace / "pid").read_text()))
        stage.say(Execute(cell_id="d", code="import time; time.sleep(60)", origin="model"))
        await stage.until(lambda e: isinstance(e, CellStarted) and e.cell_id == "d")

    ends = [e for e in play(scene, run_dir).events if isinstance(e, CellFinished)]
    assert (ends[0].cell_id, ends[0].status) == ("c", "ok")
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert not (run_dir / "run").exists()
