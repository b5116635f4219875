"""Runs the one command that makes an interpreter fit for a kernel, when the person asked for it.

It runs outside of every cage, with the person's rights and pip's own settings, one at a time; it
does not outlive the server.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from typing import NamedTuple

from gpt_code_ui.errors import Conflict
from gpt_code_ui.kernel import mending
from gpt_code_ui.kernel.sandbox.environment import outside_environment

INSTALL_S = 600.0
SHOWN_CHARACTERS = 20_000


class Mended(NamedTuple):
    """How it went: the command, whether it did what it should, and what it printed."""

    ok: bool
    command: str
    output: str


class Mends:
    """Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[str] | None = None
        self._closed = False

    def run(self, python: str) -> Mended:
        """Install ipykernel for an interpreter; returns when that is over. Raises Conflict."""
        command = mending.command(python)
        shown = shlex.join(command)
        try:
            child = self._begin(command)
        except OSError as error:
            return Mended(False, shown, f"It cannot be run: {error.strerror}.")
        try:
            output, _ = child.communicate(timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            _end(child)
            output = child.communicate()[0] + f"\nIt was ended after {INSTALL_S:g} s."
        finally:
            with self._lock:
                self._running = None
        return Mended(child.returncode == 0, shown, output[-SHOWN_CHARACTERS:].strip())

    def close(self) -> None:
        """End what runs, and begin no more."""
        with self._lock:
            self._closed = True
            if self._running is not None:
                _end(self._running)

    def _begin(self, command: list[str]) -> subprocess.Popen[str]:
        with self._lock:
            if self._closed:
                raise Conflict("GPT-Code UI is shutting down.")
            if self._running is not None:
                raise Conflict("Something is being installed already.", hint="Wait for it.")
            self._running = subprocess.Popen(
                command, env=outside_environment(), cwd=os.path.sep, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                text=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
            return self._running


def _end(child: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
