"""Child processes of the manager: started under a warden, their end told at once, none left.

Runs on the thread of one event loop, the main thread: a kernel's death signal is bound to the
thread that started its warden. Invariant: a child this process did not start (what a killed
warden left to us, its nearest subreaper) is killed and reaped as soon as it comes.
"""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gpt_code_ui.kernel import warden
from gpt_code_ui.kernel.sandbox.environment import environment
from gpt_code_ui.protocol import SandboxLevel

log = logging.getLogger(__name__)

STOP_S = 2.0
PROGRAM_S = 5.0


@dataclass(frozen=True)
class Launch:
    """A kernel ready to be started, in its cage. ``env`` is the warden's.

    ``filter``: the file of the filter that bubblewrap is to install; ``namespaced``: the kernel is
    the second process of a list of its own, and ``processes`` how long the warden lets that grow;
    ``proxied``: it reaches the network by a socket in its
    run folder or not at all.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    level: SandboxLevel = "none"
    network: bool = True
    file_bytes: int | None = None
    filter: str | None = None
    namespaced: bool = False
    processes: int | None = None
    proxied: bool = False


@dataclass(frozen=True)
class Ended:
    """How a process ended, to follow its name: ``was killed by signal 9 (SIGKILL)``."""

    how: str
    log: str = ""


class Children:
    """Starts children and hears of their ends by SIGCHLD; ``adopts`` kills all it did not start."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, adopts: bool) -> None:
        self._loop = loop
        self._adopts = adopts and warden.become_subreaper()
        self._children: dict[int, tuple[subprocess.Popen[bytes], asyncio.Future[int]]] = {}
        loop.add_signal_handler(signal.SIGCHLD, self._on_sigchld)

    def start(
        self,
        argv: list[str],
        *,
        env: Mapping[str, str],
        cwd: str | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        pass_fds: Sequence[int] = (),
    ) -> tuple[subprocess.Popen[bytes], "asyncio.Future[int]"]:
        """Start a child outside this process's session. Raises OSError."""
        child = subprocess.Popen(
            argv, env=dict(env), cwd=cwd, stdin=stdin, stdout=stdout,
            stderr=subprocess.DEVNULL, start_new_session=True, pass_fds=pass_fds,
        )  # fmt: skip
        ended: asyncio.Future[int] = self._loop.create_future()
        self._children[child.pid] = child, ended
        return child, ended

    def _on_sigchld(self) -> None:
        for pid, (child, ended) in list(self._children.items()):
            code = child.poll()
            if code is not None:
                del self._children[pid]
                if not ended.done():
                    ended.set_result(code)
        if self._adopts:
            self._end_adopted()

    def _end_adopted(self) -> None:
        """Each death here brings the next SIGCHLD, and with it what that process leaves to us."""
        me = os.getpid()
        for process in warden.processes():
            if process.parent == me and process.pid not in self._children:
                warden.kill_all([process.pid])
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)

    def close(self) -> None:
        """Stop listening; what still runs is left to its own life line."""
        self._loop.remove_signal_handler(signal.SIGCHLD)


class KernelProcess:
    """A kernel under its warden. ``ended`` resolves when nothing of it is left."""

    def __init__(self, children: Children, launch: Launch, run_dir: Path, shared_dir: Path) -> None:
        """Start it. Raises OSError."""
        argv = [
            sys.executable, "-I", "-S", str(Path(warden.__file__)),
            "--run-dir", str(run_dir), "--shared-dir", str(shared_dir), *_limits(launch),
            "--", *launch.argv,
        ]  # fmt: skip
        self._run_dir = run_dir
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ended] = loop.create_future()
        self._warden, ended = children.start(
            argv, env=launch.env, cwd=launch.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self._warden.pid
        ended.add_done_callback(self._on_ended)

    def _on_ended(self, ended: "asyncio.Future[int]") -> None:
        with self._warden:
            assert self._warden.stdout is not None
            report = self._warden.stdout.read()
        # A warden that was killed could not remove it.
        warden.remove_tree(str(self._run_dir))
        if not self.ended.done():
            self.ended.set_result(read_report(report))

    def interrupt(self) -> None:
        """SIGINT to the kernel's process group, for kernels that know no interrupt message."""
        self._warden.send_signal(signal.SIGINT)

    async def stop(self) -> None:
        """End it with everything it started; returns when that is done."""
        for end in (self._warden.terminate, self._warden.kill):
            if self.ended.done():
                return
            end()
            await asyncio.wait([self.ended], timeout=STOP_S)


def _limits(launch: Launch) -> list[str]:
    """What the warden has to know of a cage."""
    given = []
    if launch.file_bytes is not None:
        given += ["--file-bytes", str(launch.file_bytes)]
    if launch.filter is not None:
        given += ["--filter", launch.filter]
    if launch.namespaced:
        given += ["--namespaced", "yes"]
    if launch.processes is not None:
        given += ["--processes", str(launch.processes)]
    return given


def read_report(report: bytes) -> Ended:
    """A warden's report; one that was killed itself could not write it."""
    first, _, rest = report.partition(b"\n")
    kind, _, number = first.partition(b" ")
    text = rest.decode("utf-8", "replace").strip()
    if kind not in (b"exit", b"signal"):
        return Ended("was killed together with the process that watches it", text)
    return Ended(warden.how_it_ended(int(number) if kind == b"exit" else -int(number)), text)


async def output_of(
    children: Children,
    argv: Sequence[str],
    path: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    pass_fds: Sequence[int] = (),
) -> str:
    """What a short program prints, by way of a file; empty where it cannot be asked."""
    try:
        with path.open("wb") as file:
            child, ended = children.start(
                list(argv), env=environment() if env is None else env, cwd=cwd, stdout=file,
                pass_fds=pass_fds,
            )  # fmt: skip
    except OSError:
        return ""
    done, _ = await asyncio.wait([ended], timeout=PROGRAM_S)
    if not done:
        child.kill()
        return ""
    return _read(path)


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace")
