"""Real kernels under a real supervisor, for tests: run code, wait for events, find processes."""

import os
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from gpt_code_ui.kernel.client import KernelClient
from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellStarted,
    ErrorOutput,
    Event,
    Execute,
    ExecuteResultOutput,
    KernelStatus,
    StartKernel,
    StreamOutput,
)
from gpt_code_ui.supervisor import LaunchOptions, Supervisor

WAIT_S = 20.0


class Recorder:
    """What was published, in order, and a way to wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[tuple[str, float, Event]] = []

    def publish(self, conversation_id: str, event: Event) -> None:
        with self._changed:
            self._events.append((conversation_id, time.monotonic(), event))
            self._changed.notify_all()

    def of(self, conversation_id: str) -> list[Event]:
        """All events of a conversation so far."""
        with self._changed:
            return [event for name, _, event in self._events if name == conversation_id]

    def timed(self, conversation_id: str) -> list[tuple[float, Event]]:
        """The same with the time each came, of the monotonic clock."""
        with self._changed:
            return [(at, event) for name, at, event in self._events if name == conversation_id]

    def wait(
        self,
        conversation_id: str,
        condition: Callable[[Event], object],
        *,
        after: int = 0,
        timeout: float = WAIT_S,
    ) -> Event:
        """The first event from number ``after`` on that fits."""

        def found() -> Event | None:
            return next((e for e in self.of(conversation_id)[after:] if condition(e)), None)

        with self._changed:
            if not self._changed.wait_for(lambda: found() is not None, timeout):
                last = "\n".join(map(str, self.of(conversation_id)[-8:]))
                raise AssertionError(f"no such event in {timeout} s; the last were\n{last}")
        event = found()
        assert event is not None
        return event


class Rig:
    """A supervisor, its manager, and conversations with workspaces below ``folder``."""

    def __init__(self, folder: Path, options: LaunchOptions | None = None) -> None:
        self.folder = folder
        self.recorder = Recorder()
        self.client = KernelClient(self.recorder.publish)
        self.run_dir = folder / "r"
        self.supervisor = Supervisor(run_dir=self.run_dir, client=self.client, options=options)

    def conversation(self, **start: Any) -> "Talk":
        """A new conversation; its kernel starts now."""
        return Talk(self, f"conv-{uuid.uuid4().hex[:8]}", start)


class Talk:
    """One conversation of a rig."""

    def __init__(self, rig: Rig, id: str, start: dict[str, Any]) -> None:
        self.rig, self.id = rig, id
        self.client = rig.client
        self.workspace = rig.folder / id
        self.workspace.mkdir()
        self.outputs = rig.folder / f"{id}-out"
        self.client.ensure_kernel(
            id,
            StartKernel.model_validate(
                {
                    "workspace": str(self.workspace),
                    "python": sys.executable,
                    "output_dir": str(self.outputs),
                    **start,
                }
            ),
        )
        self._cells = 0

    @property
    def events(self) -> list[Event]:
        return self.rig.recorder.of(self.id)

    def post(self, code: str, *, installs: bool = False) -> str:
        """Hand over a cell and go on."""
        self._cells += 1
        cell_id = f"{self.id}-c{self._cells}"
        self.client.execute(
            self.id, Execute(cell_id=cell_id, code=code, origin="person", installs=installs)
        )
        return cell_id

    def run(self, code: str, *, timeout: float = WAIT_S) -> "Ran":
        """Run a cell to its end."""
        return self.finished(self.post(code), timeout=timeout)

    def finished(self, cell_id: str, *, timeout: float = WAIT_S) -> "Ran":
        self.wait(lambda e: isinstance(e, CellFinished) and e.cell_id == cell_id, timeout=timeout)
        return Ran(cell_id, self.events)

    def started(self, cell_id: str) -> None:
        self.wait(lambda e: isinstance(e, CellStarted) and e.cell_id == cell_id)

    def printed(self, cell_id: str, text: str) -> None:
        """Wait until the cell's text has ``text`` in it."""
        self.wait(lambda e: text in Ran(cell_id, self.events).text)

    def state(self, state: str, *, after: int = 0, timeout: float = WAIT_S) -> KernelStatus:
        event = self.wait(
            lambda e: isinstance(e, KernelStatus) and e.state == state,
            after=after, timeout=timeout,
        )  # fmt: skip
        assert isinstance(event, KernelStatus)
        return event

    def settled(self) -> int:
        """How many events there are once the kernel is idle: that comes after cell_finished."""
        states = [isinstance(e, KernelStatus) and e.state == "busy" for e in self.events]
        last_busy = len(states) - 1 - states[::-1].index(True)
        self.state("idle", after=last_busy)
        return len(self.events)

    def wait(
        self, condition: Callable[[Event], object], *, after: int = 0, timeout: float = WAIT_S
    ) -> Event:
        return self.rig.recorder.wait(self.id, condition, after=after, timeout=timeout)


class Ran:
    """A cell as its events tell it."""

    def __init__(self, cell_id: str, events: list[Event]) -> None:
        self.cell_id = cell_id
        self.events = [e for e in events if getattr(e, "cell_id", None) == cell_id]

    @property
    def end(self) -> CellFinished:
        ends = [e for e in self.events if isinstance(e, CellFinished)]
        assert len(ends) == 1, ends
        return ends[0]

    @property
    def status(self) -> str:
        return self.end.status

    @property
    def outputs(self) -> list[Any]:
        return [e.output for e in self.events if isinstance(e, CellOutput)]

    @property
    def text(self) -> str:
        return "".join(o.text for o in self.outputs if isinstance(o, StreamOutput))

    @property
    def value(self) -> str | None:
        """The repr of the last expression."""
        values = [o for o in self.outputs if isinstance(o, ExecuteResultOutput)]
        return values[-1].data["text/plain"] if values else None

    @property
    def error(self) -> ErrorOutput | None:
        return next((o for o in self.outputs if isinstance(o, ErrorOutput)), None)


@contextmanager
def running_rig(options: LaunchOptions | None = None) -> Iterator[Rig]:
    """A rig in a folder with a short path, gone without a trace afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gptcode-", dir="/tmp"))
    rig = Rig(folder, options)
    rig.supervisor.start()
    try:
        yield rig
    finally:
        rig.supervisor.stop()
        rig.client.close()
        shutil.rmtree(folder, ignore_errors=True)


def marked(mark: str) -> list[psutil.Process]:
    """Living processes with ``mark`` in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and any(mark in part for part in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.pid != os.getpid()]


def wait_gone(processes: list[psutil.Process], timeout: float = 3.0) -> None:
    """Fails unless all of them end in time."""
    _, alive = psutil.wait_procs(processes, timeout=timeout)
    alive = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not alive, [(p.pid, p.cmdline()) for p in alive]


# Starts three processes with MARK in their command lines that outlive their parents: a plain
# child, one in a session of its own, and one forked twice. Prints when all of them are there.
DAEMONS = """
import os, subprocess, sys
sleep = [sys.executable, "-c", "import time; time.sleep(60)", MARK]
def sleeper(kind, **how):
    return subprocess.Popen(sleep + [kind], **how)
sleeper("plain"); sleeper("session", start_new_session=True)
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, sleep + ["twice"])
    os._exit(0)
os.close(writer); os.read(reader, 1)  # both ends are closed by exec
print("daemons run", flush=True)
"""


def daemons(mark: str) -> str:
    """Code that leaves daemons named ``mark`` running."""
    return f"MARK = {mark!r}\n{DAEMONS}"
