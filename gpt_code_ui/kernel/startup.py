"""Runs inside a Python kernel before its first cell, on the person's interpreter.

Mends what a kernel does to output that this product promises to show: a thread's output stays with
the cell that started the thread, text no encoder takes is sent all the same, a figure does not
warn about each font it did without, charts come as their JSON for the page to draw, and joblib
works in a cage where processes cannot see each other. Imports nothing of ours and leaves no name
behind.
"""

# The interpreter may be older than ours.
from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import logging
import os
import shlex
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
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


class AfterImport(importlib.abc.MetaPathFinder):
    """Waits for a library to be imported, which takes too long to do it for everybody at the start,
    and then does something to it.
    """

    def __init__(self, library: str, action: Callable[[Any], None]) -> None:
        self._library = library
        self._action = action
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The library's spec, with the action at the end of its import; None for all others."""
        if name != self._library:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)
            return spec
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            with contextlib.suppress(Exception):
                self._action(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def charts_as_json() -> None:
    """Plotly and Altair show a figure as data; who chose another way before keeps it.

    Altair's own default is HTML with scripts from a CDN, which the page would not run.
    """
    os.environ.setdefault("PLOTLY_RENDERER", "plotly_mimetype")
    AfterImport("altair", lambda altair: altair.renderers.enable("mimetype"))


def share_work_among_threads() -> None:
    """Where no process may look at the others, joblib's workers fail at it and end."""
    try:
        os.listdir("/proc")  # noqa: PTH208
    except PermissionError:
        AfterImport(
            "joblib", lambda joblib: setattr(joblib.parallel, "DEFAULT_BACKEND", "threading")
        )
    except OSError:
        return


def use_packages(shell: Any, installer: str) -> None:
    """Find what this conversation installed, and have ``%pip install`` put it there.

    Only now, not by PYTHONPATH from the start: whatever was installed, the kernel comes up.
    """
    folder = os.environ.get("PIP_TARGET")
    if not folder:
        return
    packages = [at for at, path in enumerate(sys.path) if path.endswith("-packages")]
    sys.path.insert(packages[0] if packages else len(sys.path), folder)
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, known)))

    def pip(line: str) -> None:
        command, _, rest = line.strip().partition(" ")
        does = shlex.quote(installer) if command == "install" else f"-m pip {command}"
        shell.system(f"{shlex.quote(sys.executable)} {does} {rest}")
        importlib.invalidate_caches()

    shell.register_magic_function(pip, "line", "pip")


class Looks:
    """Takes questions about variables on the control channel; what answers comes with the first.

    It is imported under a name that is gone afterwards: the person's own modules stay as they are.
    """

    NAME = "_gptcode_inside"

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._questions: Any = None
        shell.kernel.control_handlers["gptcode_question"] = self.handle

    def handle(self, stream: Any, ident: Any, parent: Any) -> None:
        """A handler of ipykernel's, on its control thread."""
        if self._questions is None:
            self._questions = self._load().Questions(self._shell)
        self._questions.handle(stream, ident, parent)

    def _load(self) -> Any:
        folder = Path(__file__).with_name("inside")
        spec = importlib.util.spec_from_file_location(
            self.NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        sys.modules[self.NAME] = importlib.util.module_from_spec(spec)
        try:
            return importlib.import_module(f"{self.NAME}.variables")
        finally:
            for name in [one for one in list(sys.modules) if one.startswith(self.NAME)]:
                del sys.modules[name]


def prepare() -> None:
    """Do all of it; a kernel where something of it fails is a kernel all the same."""
    from IPython import get_ipython

    shell: Any = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    quiet_fonts()
    charts_as_json()
    share_work_among_threads()
    keep_output_with_its_cell(shell)
    send_any_text(shell.kernel.session)
    use_packages(shell, str(Path(__file__).parent / "installer.py"))
    Looks(shell)


if __name__ == "<run_path>":
    prepare()
