"""Answers questions about variables, on the control channel and in a thread of its own.

So a question has no execution count and no place in the history, holds up no cell, and does not
change where output goes. What takes too long is given up from outside (``stop``).
"""

from __future__ import annotations

import _thread
import asyncio
import ctypes
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable
from typing import Any

from .tables import Refused, arrange, first_values, is_table, open_table, page
from .values import is_of, issubclass_of, memory, module_of, name_of, shape, text

MOST = 2000
LIST_S = 5.0
# How long an order is kept for the next page of the same table.
REST_S = 60.0
NOT_DATA = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
IPYTHONS = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})

Reply = Callable[[dict[str, Any]], None]


class Abandoned(BaseException):
    """The question is not waited for any more."""


class Questions:
    """The questions of one kernel; ``ask`` may be called on any thread."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._news = threading.Condition()
        self._jobs: deque[tuple[dict[str, Any], Reply]] = deque()
        self._worker: list[int] | None = None
        # The order of the table that was looked at last, for its next page.
        self._kept: tuple[Any, Any] | None = None

    def handle(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """A message of ours on the control channel."""
        question = parent["content"]
        session = self._shell.kernel.session
        loop = asyncio.get_running_loop()

        def reply(answer: dict[str, Any]) -> None:
            # The socket belongs to the loop's thread.
            loop.call_soon_threadsafe(
                lambda: session.send(stream, "gptcode_answer", answer, parent, ident=ident)
            )

        if question.get("what") == "stop":
            self.abandon()
        else:
            self.ask(question, reply)

    def ask(self, question: dict[str, Any], reply: Reply) -> None:
        """Have it answered after those before it."""
        with self._news:
            self._jobs.append((question, reply))
            if self._worker is None:
                self._worker = [0]
                # Not of ``threading``: the person's own threads are counted there.
                _thread.start_new_thread(self._work, (self._worker,))
            self._news.notify_all()

    def abandon(self) -> None:
        """Give up what takes too long; the next question gets a fresh thread."""
        with self._news:
            worker, self._worker = self._worker, None
            self._jobs.clear()
            self._kept = None
            self._news.notify_all()
            if worker is not None and worker[0]:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(worker[0]), ctypes.py_object(Abandoned)
                )

    def _work(self, me: list[int]) -> None:
        me[0] = _thread.get_ident()
        try:
            while (job := self._next(me)) is not None:
                question, reply = job
                answer = self._answer(question)
                if self._worker is me:
                    reply(answer)
        except Abandoned:
            pass

    def _next(self, me: list[int]) -> tuple[dict[str, Any], Reply] | None:
        with self._news:
            if not self._jobs and self._worker is me:
                self._news.wait(REST_S)
            if self._worker is not me:
                return None
            if not self._jobs:
                self._worker = self._kept = None
                return None
            return self._jobs.popleft()

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            if question["what"] == "variables":
                return {"content": self._variables()}
            return {"content": self._rows(question)}
        except Refused as error:
            return {"error": {"code": error.code, "message": str(error), "hint": error.hint}}
        except Exception as error:  # noqa: BLE001 - libraries raise what they like
            said = f"{name_of(type(error))}: {error}"[:500]
            return {"error": {"code": "kernel_error", "message": f"It could not be read: {said}"}}

    # --- all of them ---------------------------------------------------------------------------

    def _variables(self) -> dict[str, Any]:
        hidden = self._shell.user_ns_hidden
        shown = [
            (name, value)
            for name, value in list(self._shell.user_ns.items())
            if type(name) is str and not name.startswith("_") and is_data(name, value, hidden)
        ]
        until = time.monotonic() + LIST_S
        rows = [describe(name, value, time.monotonic() < until) for name, value in shown[:MOST]]
        return {"variables": rows, "total": len(shown)}

    # --- the rows of one -----------------------------------------------------------------------

    def _rows(self, question: dict[str, Any]) -> dict[str, Any]:
        name = question["name"]
        value = self._shell.user_ns.get(name, self)
        if value is self or not is_data(name, value, self._shell.user_ns_hidden):
            raise Refused(f"There is no variable {name}.", code="not_found")
        table = open_table(value)
        if table is None:
            raise Refused(f"{name} is no table.", "Frames, series and arrays are.")
        mark = (id(value), question["epoch"], shape(value), question["sort"], question["filter"])
        if self._kept is None or self._kept[0] != mark:
            self._kept = None
            positions = arrange(table, question["sort"], question["filter"])
            self._kept = (mark, positions)
        return page(table, self._kept[1], question)


def is_data(name: str, value: Any, hidden: Any) -> bool:
    """Whether a name of the namespace is the person's, and no module, function or class."""
    kind = type(value)
    if kind in NOT_DATA or issubclass_of(kind, type) or name in IPYTHONS:
        return False
    # IPython puts names of its own into the namespace, which the person may use for theirs.
    return not (name in hidden and hidden[name] is value)


def describe(name: str, value: Any, all_of_it: bool) -> dict[str, Any]:
    """A row of the list; without ``all_of_it`` only what takes no time."""
    kind = type(value)
    row: dict[str, Any] = {"name": name[:200], "type": name_of(kind)}
    if module_of(kind) not in ("builtins", "__main__"):
        row["module"] = module_of(kind)[:200]
    if not all_of_it:
        return row
    size = shape(value)
    row["table"] = is_table(value)
    row["first"] = first_values(value) if row["table"] else text(value)
    row["memory"] = memory(value)
    if size is not None:
        row["shape"] = list(size)
    if is_of(value, "numpy", "ndarray"):
        row["dtype"] = str(sys.modules["numpy"].ndarray.dtype.__get__(value))[:200]
    return row
