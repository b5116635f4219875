"""The kernel of one conversation: its queue of cells, its restarts, its state on the page.

One task does everything in order; commands only leave their wish and wake it. Invariant: every
cell that was taken is finished exactly once, whatever becomes of the kernel, and at most one cell
is with the kernel.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpt_code_ui.errors import IpykernelMissing, KernelStartFailed
from gpt_code_ui.kernel.cell import Cell, Emit, not_run_events
from gpt_code_ui.kernel.changes import FolderWatch
from gpt_code_ui.kernel.jupyter import Answered, Began, JupyterKernel, KernelMessage, Updated
from gpt_code_ui.kernel.network import Network
from gpt_code_ui.kernel.queries import Queries
from gpt_code_ui.kernel.starting import Services, start_kernel
from gpt_code_ui.kernel.watch import Excess, Watch, watch_over
from gpt_code_ui.protocol import (
    CellOutputUpdated,
    CellStatus,
    Event,
    Execute,
    InputReply,
    KernelState,
    KernelStatus,
    Query,
    SandboxLevel,
    StartKernel,
)
from gpt_code_ui.workspace import Snapshot

log = logging.getLogger(__name__)

MAX_FAILURES = 3
SETTLED_S = 10.0
INTERRUPT_S = 3.0
LAST_WORDS_S = 0.1
IDLE_LOST_S = 10.0
REMEMBERED_CELLS = 256

LOST_VARIABLES = "its variables are lost"
UNRESPONSIVE = "The kernel does not answer; its process may be stopped."


@dataclass(frozen=True)
class Fresh:
    """A wish for a fresh kernel, and what is said about the one that goes and of its cell."""

    reason: str
    status: CellStatus = "interrupted"


class KernelSession:
    """Commands may be given at any time, on the loop's thread; the task obeys them in order."""

    def __init__(self, conversation_id: str, start: StartKernel, services: Services) -> None:
        self._conversation_id = conversation_id
        self._start = start
        self._services = services
        self._queue: deque[Execute] = deque()
        self._cells: OrderedDict[str, Cell] = OrderedDict()
        self._current: Cell | None = None
        self._kernel: JupyterKernel | None = None
        self._kernel_id: str | None = None
        self._wanted = True
        self._wish: Fresh | None = None
        self._again = False
        self._restart_reason: str | None = None
        self._state: KernelState = "parked"
        self._used = False
        self._stopping = False
        self._failures = 0
        self._ready_at = 0.0
        self._folder = FolderWatch()
        self._queries = Queries(lambda answer: services.outbox.send(conversation_id, answer))
        self._epoch = 0
        self._busy = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._network = Network(
            conversation_id, services.outside, self._emit, allowed=start.network
        )
        self._why: tuple[str | None, str | None] = (None, None)
        self._escalation: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._news: asyncio.Future[None] = self._loop.create_future()
        self._task = self._loop.create_task(self._live(), name=f"kernel-{conversation_id}")

    # --- commands ------------------------------------------------------------------------------

    def start(self, start: StartKernel) -> None:
        """Have a kernel; one that lives stays as it is."""
        self._start = start
        self._network.allow(start.network)
        self._wanted = True
        self._wake()

    def set_network(self, network: bool) -> None:
        """Let code reach the network from now on, or no longer; told at once."""
        self._start = self._start.model_copy(update={"network": network})
        self._network.allow(network)
        self._status(self._state, *self._why)

    def execute(self, command: Execute) -> None:
        """Run a cell after those before it."""
        self._queue.append(command)
        self._wanted = True
        self._wake()

    def interrupt(self) -> None:
        """Interrupt what runs and drop what waits; what does not stop loses its kernel."""
        self._drop_queue("It was interrupted before it ran.")
        if self._current is not None:
            self._interrupt(self._current)

    def _interrupt(self, cell: Cell) -> None:
        if cell.finished:
            return
        if not cell.interrupted:
            cell.interrupted = True
            self._escalation = self._loop.call_later(INTERRUPT_S, self._escalate, cell)
        if cell.began and self._kernel is not None:
            self._kernel.interrupt()
        self._wake()

    def restart(self) -> None:
        """A fresh kernel, without the cells of the old one."""
        self._drop_queue("The kernel was restarted before it ran.")
        self._failures = 0
        if self._kernel_id is None:
            self._wanted = True
        else:
            self._wish = Fresh("The kernel was restarted.")
        self._wake()

    def input_reply(self, reply: InputReply) -> None:
        """Hand the person's line to the cell that asked for it."""
        cell = self._current
        if cell is not None and cell.command.cell_id == reply.cell_id and self._kernel:
            self._kernel.answer(reply.text)

    def query(self, query: Query) -> None:
        """Ask the kernel about its variables; told that it is busy while cells run or wait."""
        busy = self._current is not None or bool(self._queue) or self._wish is not None
        self._queries.ask(self._kernel, query, busy=busy, epoch=self._epoch)

    async def close(self) -> None:
        """End the kernel; every cell is finished before this returns."""
        self._stopping = True
        self._drop_queue("The kernel was stopped before it ran.")
        self._wake()
        await asyncio.wait([self._task])

    @property
    def _level(self) -> SandboxLevel:
        """The cage that the next kernel gets."""
        return "none" if self._start.sandbox == "ask" else self._start.sandbox

    # --- the task ------------------------------------------------------------------------------

    async def _live(self) -> None:
        while not self._stopping:
            try:
                await self._step()
            except Exception as error:
                log.exception("the session of a kernel failed")
                await self._recover(f"The kernel manager made a mistake: {error!r}")
        await self._end_kernel()
        self._status("parked")

    async def _recover(self, reason: str) -> None:
        """After a mistake of ours: end what runs, and begin anew, but not for ever."""
        cell, self._current = self._current, None
        if cell is not None and not cell.finished:
            cell.finish("died", reason)
        await self._end_kernel()
        self._start_failed(KernelStartFailed(reason))

    async def _step(self) -> None:
        """Do the next thing there is to do, or wait for it."""
        kernel = self._kernel
        if self._wish is not None:
            wish, self._wish = self._wish, None
            await self._end_kernel()
            self._wanted = self._again = True
            self._restart_reason = wish.reason
        elif kernel is None and self._wanted:
            await self._bring_up()
        elif kernel is None:
            await self._wait()
        elif kernel.ended.done():
            await self._lost(kernel)
        elif self._queue:
            await self._run(kernel, self._queue.popleft())
        else:
            await self._wait(kernel.ended)

    def _wake(self) -> None:
        if not self._news.done():
            self._news.set_result(None)

    async def _wait(self, *futures: "asyncio.Future[Any]", within: float | None = None) -> None:
        """Wait for a command, a message that changes something, or one of ``futures``."""
        if self._news.done():
            self._news = self._loop.create_future()
            return
        await asyncio.wait(
            [self._news, *futures], timeout=within, return_when=asyncio.FIRST_COMPLETED
        )
        if self._news.done():
            self._news = self._loop.create_future()

    # --- the kernel's life ---------------------------------------------------------------------

    async def _bring_up(self) -> None:
        """One attempt at a kernel."""
        reason, self._restart_reason = self._restart_reason, None
        number = next(self._services.kernel_numbers)
        run_dir = self._services.run_dir
        self._kernel_id = f"{run_dir.name}-{number}"
        self._status("restarting" if self._again else "starting", reason)
        try:
            kernel = await self._started(run_dir / f"k{number}")
        except KernelStartFailed as error:
            self._start_failed(error)
            return
        if kernel is None:
            return
        self._kernel = kernel
        self._used = False
        self._ready_at = self._loop.time()
        self._wish = None
        self._again = False
        start = self._start
        own = [start.packages] if start.packages is not None else []
        folders = (start.workspace, str(run_dir / f"k{number}"), *own)
        watch = Watch(self._services.bounds, kernel.pid, folders)
        self._watching = self._loop.create_task(watch_over(watch, self._busy, self._too_much))
        self._status("idle")

    async def _started(self, run_dir: Path) -> JupyterKernel | None:
        """A kernel that answers; None if there is no use for it any more."""
        starting = self._loop.create_task(
            start_kernel(self._start, self._services, run_dir, self._receive, self._network)
        )
        while not starting.done():
            await self._wait(starting)
            if self._stopping:
                starting.cancel()
                await asyncio.wait([starting])
                return None
        return starting.result()

    def _start_failed(self, error: KernelStartFailed) -> None:
        """Try again, unless trying does not help."""
        self._failures += 1
        log.warning("a kernel did not start: %s", error.message)
        if self._failures < MAX_FAILURES and error.hint is None:
            return
        self._kernel_id = None
        self._wanted = self._again = False
        self._failures = 0
        missing = "ipykernel" if isinstance(error, IpykernelMissing) else None
        self._status("dead", error.message, error.hint, missing)
        hint = f" To mend it: {error.hint}" if error.hint else ""
        self._drop_queue(f"{error.message}{hint}")

    async def _lost(self, kernel: JupyterKernel) -> None:
        """The kernel ended by itself: say so and have another, but not for ever."""
        ended = kernel.ended.result()
        await self._end_kernel()
        if self._loop.time() - self._ready_at < SETTLED_S:
            self._failures += 1
        reason = f"The kernel {ended.how}"
        self._status("dead", f"{reason}; {LOST_VARIABLES}.")
        self._again = True
        self._restart_reason = f"{reason}."
        if self._failures >= MAX_FAILURES:
            self._start_failed(KernelStartFailed(f"{reason}, again and again.\n{ended.log}"))

    def _too_much(self, excess: Excess) -> None:
        """End what takes too much: the cell, or the kernel where that is not enough."""
        log.warning("%s", excess.reason)
        cell = self._current
        if excess.who == "kernel" or cell is None:
            self._wish = Fresh(f"{excess.reason}; it was ended and {LOST_VARIABLES}.", "died")
            self._wake()
        elif cell.why is None:
            cell.why = f"{excess.reason}; it was interrupted."
            self._interrupt(cell)

    async def _end_kernel(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        kernel, self._kernel = self._kernel, None
        self._queries.lost()
        if kernel is not None:
            await kernel.close()
        self._network.close()
        for cell in self._cells.values():
            cell.close()
        self._cells.clear()

    # --- cells ---------------------------------------------------------------------------------

    async def _run(self, kernel: JupyterKernel, command: Execute) -> None:
        cell = self._current = self._cell(command)
        before = await self._look_before(command)
        if cell.interrupted:
            self._not_run(command, "It was interrupted before it ran.")
        else:
            self._network.begin_cell(installs=command.installs)
            self._send(kernel, cell)
            cell.start()
            self._busy.set()
            if self._state != "busy":
                self._status("busy")
            kernel.watch_heart(self._on_heartbeat)
            await self._until_over(kernel, cell)
            await self._hear_out()
            kernel.rest_heart()
            status, reason = self._outcome(kernel, cell)
            files, not_kept = await self._folder.changes(
                self._start.workspace, before, command.cell_id
            )
            cell.finish(status, reason, files, not_kept, self._network.end_cell())
            self._after(cell, status)
        self._current = None
        self._busy.clear()
        if self._escalation is not None:
            self._escalation.cancel()
        more = self._queue or self._wish or self._stopping or kernel.ended.done()
        if not more and self._state != "idle":
            self._status("idle")

    async def _look_before(self, command: Execute) -> Snapshot | None:
        start = self._start
        versions = None if command.answer_to else start.versions
        return await self._folder.before(start.workspace, command.cell_id, versions)

    def _cell(self, command: Execute) -> Cell:
        file = Path(self._start.output_dir) / f"{Path(command.cell_id).name}.txt"
        if command.answer_to is None:
            file.unlink(missing_ok=True)  # of the run before this one
        return Cell(
            command, file, self._services.limits, self._emit_for(command),
            lambda: self._services.outbox.congested, self._start.language,
        )  # fmt: skip

    def _send(self, kernel: JupyterKernel, cell: Cell) -> None:
        self._epoch += 1
        request = kernel.execute(cell.command.code)
        cell.sent(request)
        self._cells[request] = cell
        self._used = True
        while len(self._cells) > REMEMBERED_CELLS:
            self._cells.popitem(last=False)[1].close()

    async def _until_over(self, kernel: JupyterKernel, cell: Cell) -> None:
        while not (kernel.ended.done() or self._wish or self._stopping):
            if cell.over and not self._sent_again(kernel, cell):
                return
            if cell.replied and self._loop.time() - cell.heard_at > IDLE_LOST_S:
                log.warning("a cell's reply came, but not the end of its output")
                return
            await self._wait(kernel.ended, within=IDLE_LOST_S if cell.replied else None)
        if kernel.ended.done() and not cell.over:
            await asyncio.sleep(LAST_WORDS_S)

    async def _hear_out(self) -> None:
        """Other kernels than Python's may say that they are done before their output is out."""
        if self._start.language is not None:
            await asyncio.sleep(LAST_WORDS_S)

    def _sent_again(self, kernel: JupyterKernel, cell: Cell) -> bool:
        """Once more, where an interrupt that came late took the cell along: it did not run."""
        if cell.interrupted or cell.resent or not cell.aborted:
            return False
        cell.resent = True
        self._send(kernel, cell)
        return True

    def _outcome(self, kernel: JupyterKernel, cell: Cell) -> tuple[CellStatus, str | None]:
        """How a cell ended, and what is to be said about it."""
        if cell.replied is not None:
            return cell.status, cell.why
        if kernel.ended.done():
            return "died", f"The kernel {kernel.ended.result().how}."
        if self._wish is not None:
            return self._wish.status, cell.why or self._wish.reason
        return "interrupted", "The kernel was stopped."

    def _after(self, cell: Cell, status: CellStatus) -> None:
        if status != "died":
            self._failures = 0
        if cell.replied is not None and cell.replied.leaves:
            self._wish = Fresh(f"exit() ended the kernel; {LOST_VARIABLES}.")

    def _escalate(self, cell: Cell) -> None:
        if cell is self._current and not cell.finished:
            self._wish = Fresh(
                f"It did not stop within {INTERRUPT_S:g} s; the kernel was ended and "
                f"{LOST_VARIABLES}."
            )
            self._wake()

    def _drop_queue(self, reason: str) -> None:
        while self._queue:
            self._not_run(self._queue.popleft(), reason)

    def _not_run(self, command: Execute, reason: str) -> None:
        emit = self._emit_for(command)
        for event in not_run_events(command, reason, self._start.language):
            emit(event)

    # --- messages ------------------------------------------------------------------------------

    def _receive(self, message: KernelMessage) -> None:
        if isinstance(message, Answered):
            self._queries.answered(message)
            return
        cell = self._cells.get(message.parent)
        if cell is None:
            if isinstance(message, Updated):
                self._emit(
                    CellOutputUpdated(
                        display_id=message.display_id, data=message.data, metadata=message.metadata
                    )
                )
            return
        cell.receive(message)
        if isinstance(message, Began) and cell.interrupted and self._kernel is not None:
            self._kernel.interrupt()
        if cell.replied is not None:
            self._wake()

    def _on_heartbeat(self, beats: bool) -> None:
        if beats:
            self._status("busy")
        else:
            self._status("busy", UNRESPONSIVE, "Restart the kernel.")

    # --- events --------------------------------------------------------------------------------

    def _emit_for(self, command: Execute) -> Emit:
        """Where a cell's events go: to the conversation, or to whoever it runs for."""
        name = command.answer_to or self._conversation_id
        return lambda event: self._services.outbox.send(name, event)

    def _emit(self, event: Event) -> None:
        self._services.outbox.send(self._conversation_id, event)

    def _status(
        self, state: KernelState, reason: str | None = None, hint: str | None = None,
        missing: str | None = None,
    ) -> None:  # fmt: skip
        kernel = self._kernel
        self._state, self._why = state, (reason, hint)
        level = kernel.sandbox if kernel else self._level
        self._emit(
            KernelStatus(
                kernel_id=self._kernel_id,
                state=state,
                reason=reason,
                hint=hint,
                missing=missing,
                sandbox=level,
                network=self._network.is_on(level),
                used=self._used if kernel else None,
            )
        )
