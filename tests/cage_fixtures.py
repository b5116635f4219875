"""Real kernels in real cages, beside things they must not reach."""

import functools
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.kernel.sandbox.ladder import try_bwrap, try_landlock
from gpt_code_ui.protocol import CageOptions, SandboxLevel
from gpt_code_ui.supervisor import LaunchOptions
from tests.kernel_fixtures import Rig, running_rig

SECRET = "sk-of-the-person"
# What the attacks share. ``tried`` gives the value, or the name of what refused it.
PRELUDE = """
import ctypes, errno, os, signal, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def tried(f):
    try:
        return f()
    except BaseException as error:
        return errno.errorcode.get(getattr(error, "errno", None), type(error).__name__)
def system(number, *args):
    ctypes.set_errno(0)
    if libc.syscall(number, *args) == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return "done"
def contents(path):
    with open(path) as file:
        return file.read()
"""


@functools.cache
def why_not(level: SandboxLevel) -> str | None:
    """Why a level cannot be tested here."""
    rung = {"bwrap": try_bwrap, "landlock": try_landlock}[level]()
    return None if rung is None else rung.why


def need(level: SandboxLevel) -> None:
    """Skip the test where there is no such cage."""
    why = why_not(level)
    if why is not None:
        pytest.skip(why)


class Scene:
    """A rig with a data folder of ours, a caged conversation, and another one's folder."""

    def __init__(self, rig: Rig, level: SandboxLevel, data: Path, **start: Any) -> None:
        self.rig, self.level, self.data = rig, level, data
        self.talk = rig.conversation(sandbox=level, **start)
        ran = self.talk.run(PRELUDE)
        assert ran.status == "ok", (ran.error, ran.end.reason)

    def value(self, expression: str) -> str:
        """What an expression is worth inside, as text."""
        ran = self.talk.run(f"print(tried(lambda: {expression}), end='')")
        assert ran.error is None, ran.error
        return ran.text


@contextmanager
def caged(level: SandboxLevel, **options: Any) -> Iterator[Scene]:
    """A scene at a level, gone without a trace afterwards."""
    need(level)
    with ExitStack() as stack:
        data = make_data(stack)
        options.setdefault("hidden", [str(data)])
        log: list[str] = []
        launch = LaunchOptions(cage=CageOptions(**options), log=log.append)
        yield Scene(stack.enter_context(running_rig(launch)), level, data)


def make_data(stack: ExitStack) -> Path:
    """A data folder with what nobody may see."""
    data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gptcode-data-")))
    (data / "workspaces" / "other").mkdir(parents=True)
    for name in ("gptcode.db", "sessions.json", "keys.json", "workspaces/other/file.txt"):
        (data / name).write_text(SECRET)
    return data


@contextmanager
def listening(family: int, address: Any) -> Iterator[Any]:
    """A server of this machine that answers whoever comes; its address."""
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind(address)
        server.listen(8)
        over = threading.Event()

        def serve() -> None:
            server.settimeout(0.1)
            while not over.is_set():
                try:
                    server.accept()[0].close()
                except OSError:
                    continue

        thread = threading.Thread(target=serve, name="host-server")
        thread.start()
        try:
            yield server.getsockname()
        finally:
            over.set()
            thread.join()
