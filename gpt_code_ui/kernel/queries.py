"""The questions that are with one kernel: each is answered once, in bounded time.

Invariant: a question is no cell. It emits no event, runs no code of the person's and waits for
nothing but the kernel's own answer, which may be anything and is checked by whoever asked.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from gpt_code_ui.errors import Conflict, GptCodeError, KernelError
from gpt_code_ui.kernel.jupyter import Answered
from gpt_code_ui.protocol import ErrorBody, Query, QueryAnswered

# A table of many millions of rows is put in order in this time.
ROWS_S = 60.0
LIST_S = 10.0
MOST_WAITING = 16
BUSY = "A cell runs: what the variables hold is told when it is over."


class Kernel(Protocol):
    """What is needed of a kernel: whether it answers, and a way to ask it."""

    answers: bool

    def question(self, content: dict[str, Any]) -> str:
        """Ask; the id by which the answer names it."""
        ...


@dataclass(frozen=True)
class _Asked:
    query_id: str
    overdue: asyncio.TimerHandle


class Queries:
    """Used on the loop's thread alone. ``send`` gets every answer."""

    def __init__(
        self, send: Callable[[QueryAnswered], None], *,
        list_s: float = LIST_S, rows_s: float = ROWS_S, most: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        self._send = send
        self._within = {"variables": list_s, "rows": rows_s}
        self._most = most
        self._asked: dict[str, _Asked] = {}

    def ask(self, kernel: Kernel | None, query: Query, *, busy: bool, epoch: int) -> None:
        """Hand it to the kernel. ``epoch`` changes whenever variables may have."""
        if kernel is None:
            self._answer(query.query_id, {"state": "parked"})
        elif not kernel.answers:
            self._answer(query.query_id, {"state": "unsupported"})
        elif busy or len(self._asked) >= self._most:
            self._refuse(query.query_id, Conflict(BUSY))
        else:
            question = query.model_dump(exclude={"type", "query_id"})
            request = kernel.question({**question, "epoch": epoch})
            within = self._within[query.what]
            overdue = asyncio.get_running_loop().call_later(
                within, self._give_up, kernel, request, within
            )
            self._asked[request] = _Asked(query.query_id, overdue)

    def answered(self, message: Answered) -> None:
        """The kernel's answer; one that nobody waits for is dropped."""
        asked = self._asked.pop(message.parent, None)
        if asked is None:
            return
        asked.overdue.cancel()
        content, error = message.content.get("content"), message.content.get("error")
        if isinstance(content, dict):
            self._answer(asked.query_id, {"state": "idle", **content})
            return
        try:
            body = ErrorBody.model_validate(error)
        except ValidationError:
            body = KernelError("The kernel gave no answer that can be read.").body()
        self._send(QueryAnswered(query_id=asked.query_id, error=body))

    def lost(self) -> None:
        """The kernel has gone."""
        asked, self._asked = self._asked, {}
        for one in asked.values():
            one.overdue.cancel()
            self._refuse(one.query_id, KernelError("The kernel ended before it answered."))

    def _give_up(self, kernel: Kernel, request: str, within: float) -> None:
        kernel.question({"what": "stop"})
        # Those that waited behind it are dropped by the kernel, too.
        asked, self._asked = self._asked, {}
        for name, one in asked.items():
            one.overdue.cancel()
            said = f"It took longer than {within:g} s and was given up."
            hint = "Filter it, or look at a part of it." if name == request else "Ask again."
            self._refuse(one.query_id, KernelError(said, hint=hint))

    def _answer(self, query_id: str, content: dict[str, object]) -> None:
        self._send(QueryAnswered(query_id=query_id, content=content))

    def _refuse(self, query_id: str, error: GptCodeError) -> None:
        self._send(QueryAnswered(query_id=query_id, error=error.body()))
