"""Runs inside a Python kernel before its first cell, on the person's interpreter.

Mends what a kernel does to output that this product promises to show: a thread's output stays with
the cell that started the thread, text no encoder takes is sent all the same, and a figure does not
warn about each font it did without. Imports nothing of ours and leaves no name behind.
"""

# The interpreter may be older than ours.
from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def keep_output_with_its_cell(shell: Any) -> None:
    """Threads, and work given to thread pools, print to the cell in which that was done.

    ipykernel since 7 gives what a thread prints to whichever cell runs at the moment.
    """
    if not hasattr(shell, "set_thread_parent"):
        return

    def in_cell(parent: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        tokens = shell.set_thread_parent(parent)
        try:
            return function(*args, **kwargs)
        finally:
            shell.reset_thread_parent(tokens)

    start = threading.Thread.start
    submit: Callable[..., Future[Any]] = ThreadPoolExecutor.submit

    @functools.wraps(start)
    def start_in_cell(self: threading.Thread) -> None:
        self.run = functools.partial(in_cell, shell.get_parent(), self.run)  # type: ignore[method-assign]
        start(self)

    @functools.wraps(submit)
    def submit_in_cell(
        self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        return submit(self, in_cell, shell.get_parent(), function, *args, **kwargs)

    threading.Thread.start = start_in_cell  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = submit_in_cell  # type: ignore[assignment,method-assign]


def send_any_text(session: Any) -> None:
    """A lone surrogate in a message is escaped; ipykernel would drop the message."""
    pack = session.pack

    def pack_any(message: Any) -> bytes:
        try:
            return bytes(pack(message))
        except UnicodeEncodeError:
            return json.dumps(message, default=str).encode("ascii")

    session.pack = pack_any


def quiet_fonts() -> None:
    """matplotlib warns per glyph of a family a script names in vain; the figure is right."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def prepare() -> None:
    """Do all of it; a kernel where something of it fails is a kernel all the same."""
    from IPython import get_ipython

    shell: Any = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    quiet_fonts()
    keep_output_with_its_cell(shell)
    send_any_text(shell.kernel.session)


if __name__ == "<run_path>":
    prepare()
