"""One cell from the moment it is sent to its last late output.

Invariant: what the kernel says under one of the cell's requests goes to this cell, whenever it
comes, and nothing else does; the whole of its text is in its file.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from gpt_code_ui.kernel.jupyter import (
    Asked,
    Began,
    Cleared,
    Idle,
    KernelMessage,
    Replied,
    Shown,
    Updated,
)
from gpt_code_ui.kernel.outputs import CellOutputs, OutputLimits
from gpt_code_ui.protocol import (
    CellFinished,
    CellStarted,
    CellStatus,
    Event,
    Execute,
    FileChanges,
    InputRequested,
)

log = logging.getLogger(__name__)

CONGESTED_S = 0.25
MOST_REFUSED = 8
WRITE_BYTES = 1024 * 1024

Emit = Callable[[Event], None]


class OutputFile:
    """The whole text of a cell, up to ``limit`` bytes; made when there is something to write."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._left = limit
        self._limit = limit

    def append(self, texts: Iterable[str]) -> None:
        """Write at the end. A disk that does not take it is logged once; the cell goes on."""
        data = "".join(texts).encode()
        if not data or self._left <= 0:
            return
        if len(data) > self._left:
            note = f"\n… this file ends here, at its limit of {self._limit:,} bytes …\n"
            data = data[: self._left] + note.encode()
        self._left -= len(data)
        try:
            self._write(data)
        except OSError as error:
            self._left = 0
            log.warning("the output of a cell is not kept in full: %s", error)

    def _write(self, data: bytes) -> None:
        try:
            file = self._path.open("ab")
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab")
        with file:
            file.write(data)


class Cell:
    """A cell's state and outputs. ``congested`` says when outputs have to wait."""

    def __init__(
        self,
        command: Execute,
        file: Path,
        limits: OutputLimits,
        emit: Emit,
        congested: Callable[[], bool],
        language: str | None = None,
    ) -> None:
        """``language`` is what the kernel runs, where that is not Python."""
        self.command = command
        self.request = ""
        self.began = self.idle = self.finished = False
        self.replied: Replied | None = None
        self.interrupted = False
        self.resent = False
        # Why it is interrupted, where that was not the person's wish.
        self.why: str | None = None
        self.heard_at = 0.0
        self._outputs = CellOutputs(command.cell_id, limits)
        self._file = OutputFile(file, 0 if command.answer_to else limits.file_bytes)
        self._emit = emit
        self._congested = congested
        self._language = language
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # --- what the kernel says ------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the reply came and all output before it."""
        return self.idle and self.replied is not None

    @property
    def aborted(self) -> bool:
        """Whether the kernel refused it, as it does for a moment after an interrupt."""
        return self.replied is not None and self.replied.status in ("aborted", "abort")

    @property
    def status(self) -> CellStatus:
        """How it ended, once the reply came."""
        if self.replied is not None and self.replied.status == "ok":
            return "ok"
        return "interrupted" if self.interrupted or self.aborted else "error"

    def sent(self, request: str) -> None:
        """It is with the kernel under this id, for the first time or anew."""
        self.request = request
        self.began = self.idle = False
        self.replied = None
        self.heard_at = self._loop.time()

    def receive(self, message: KernelMessage) -> None:
        """Take in a message that names one of this cell's requests."""
        self.heard_at = self._loop.time()
        match message:
            case Shown():
                self._outputs.show(message.output, message.display_id)
                self._flush()
            case Updated():
                self._outputs.update(message.display_id, message.data, message.metadata)
                self._flush()
            case Cleared():
                self._outputs.clear(message.wait)
                self._flush()
            case Asked():
                self._send(self._outputs.drain(self._loop.time()))
                self._emit(
                    InputRequested(
                        cell_id=self.command.cell_id,
                        prompt=message.prompt,
                        password=message.password,
                    )
                )
            case Began() | Idle() | Replied() if message.parent == self.request:
                self._note(message)
            case _:
                pass

    def _note(self, message: Began | Idle | Replied) -> None:
        match message:
            case Began():
                self.began = True
            case Idle():
                self.idle = True
            case Replied():
                self.replied = message

    # --- what the page hears -------------------------------------------------------------------

    def start(self) -> None:
        """Say that it reached the kernel."""
        self._started_at = self._loop.time()
        self._emit(started_event(self.command, self._language))

    def finish(
        self, status: CellStatus, reason: str | None = None, files: FileChanges | None = None,
        not_kept: list[str] | None = None,
        refused_hosts: list[str] | None = None,
    ) -> None:  # fmt: skip
        """Say what is left of its output, and how it ended."""
        self.finished = True
        now = self._loop.time()
        self._send(self._outputs.finish(now))
        self._emit(
            CellFinished(
                cell_id=self.command.cell_id,
                status=status,
                execution_count=self.replied.execution_count if self.replied else None,
                ms=round((now - self._started_at) * 1000),
                reason=reason,
                files=files or FileChanges(),
                not_kept=not_kept or None,
                refused_hosts=(refused_hosts or [])[:MOST_REFUSED] or None,
            )
        )

    def close(self) -> None:
        """Its kernel is gone: nothing comes any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._send(self._outputs.finish(self._loop.time()))

    # --- pace ----------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send what may be sent now, and come back when more may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        if not self._congested():
            events = self._outputs.take(now)
            if events or self._outputs.unwritten > WRITE_BYTES:
                self._send(events)
        elif self._outputs.unwritten > WRITE_BYTES:
            self._send([])
        due = self._outputs.due
        if due is not None:
            due = max(due, now + CONGESTED_S) if self._congested() else due
            self._timer = self._loop.call_at(due, self._flush)

    def _send(self, events: Iterable[Event]) -> None:
        """First to the page, then to the file."""
        for event in events:
            self._emit(event)
        self._file.append(self._outputs.take_text())


def started_event(command: Execute, language: str | None = None) -> CellStarted:
    """The event by which a cell appears."""
    return CellStarted(
        cell_id=command.cell_id,
        turn_id=command.turn_id,
        code=command.code,
        origin=command.origin,
        after_cell=command.after_cell,
        repaired=command.repaired,
        language=language,
    )


def not_run_events(
    command: Execute, reason: str, language: str | None = None
) -> tuple[CellStarted, CellFinished]:
    """A cell that never reached a kernel, and why."""
    finished = CellFinished(cell_id=command.cell_id, status="not_run", reason=reason)
    return started_event(command, language), finished
