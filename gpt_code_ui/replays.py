"""Replays that run, on a thread each: at most one a conversation.

A proof has a kernel and a folder of its own and touches nothing of the conversation's. Variables
are brought back in the conversation's own kernel, and its files are afterwards what they were,
also after a crash in the middle. A person's own folder is never rearranged.
"""

import logging
import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpt_code_ui.compare import Comparison
from gpt_code_ui.errors import Conflict, GptCodeError
from gpt_code_ui.figures import Figures
from gpt_code_ui.file_history import FileHistory, Inputs
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    InputFile,
    ReplayFinished,
    ReplayProgress,
    ReplayPurpose,
    StartKernel,
    Transcript,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.replay import Kept, Replay
from gpt_code_ui.silent_kernel import PREFIX, Hearers, RunsCells, SilentKernel, fresh_kernel
from gpt_code_ui.workspace import Workspace
from gpt_code_ui.workspace.objects import digest

log = logging.getLogger(__name__)

KEPT_BYTES = 1 << 30  # of one file, to be able to put it back
SCRATCH_BYTES = 4 << 30  # of all files of a proof
LISTED_INPUTS = 1000


@dataclass(frozen=True)
class Task:
    """What a replay is about: a conversation's cells, files and kernel."""

    conversation_id: str
    transcript: Transcript
    workspace: Workspace
    history: FileHistory
    start: StartKernel


@dataclass
class _Live:
    purpose: ReplayPurpose
    stop: Stop
    thread: threading.Thread
    over: threading.Event


class Replays:
    """The replays of all conversations. Every method may be called from any thread."""

    def __init__(
        self, kernels: RunsCells, hearers: Hearers, publisher: Publisher, scratch: Path,
        figures: Figures | None = None,
    ) -> None:  # fmt: skip
        """``scratch`` is a folder for the copies that proofs work in."""
        self._kernels = kernels
        self._hearers = hearers
        self._publisher = publisher
        self._scratch = scratch
        self._figures = figures or Figures()
        self._lock = threading.Lock()
        self._live: dict[str, _Live] = {}
        self._closed = False

    def prove(self, task: Task) -> str:
        """Begin a proof; its id. Raises Conflict when a replay runs."""
        return self._begin(task, "proof", self._prove)

    def rebuild(self, task: Task, purpose: ReplayPurpose) -> str:
        """Begin to bring variables back into the conversation's kernel. Raises Conflict."""
        return self._begin(task, purpose, self._rebuild)

    def stop(self, conversation_id: str) -> None:
        """Ask the conversation's replay to end; nothing happens without one."""
        live = self._live.get(conversation_id)
        if live is not None:
            live.stop.request()

    def stop_rebuild(self, conversation_id: str) -> None:
        """The same, but a proof goes on: it has a kernel of its own."""
        if self.rebuilding(conversation_id):
            self.stop(conversation_id)

    def rebuilding(self, conversation_id: str) -> bool:
        """Whether the conversation's own kernel and files are being worked on."""
        live = self._live.get(conversation_id)
        return live is not None and live.purpose != "proof"

    def wait(self, conversation_id: str, stop: Stop) -> None:
        """Wait until the kernel has its variables; a requested stop ends that too."""
        live = self._live.get(conversation_id)
        if live is not None and live.purpose != "proof":
            with stop.on_request(live.stop.request):
                live.over.wait()

    def close(self, timeout: float) -> None:
        """Begin no more, end all, and wait ``timeout`` seconds at most for each."""
        self._closed = True
        with self._lock:
            live = list(self._live.values())
        for one in live:
            one.stop.request()
        for one in live:
            one.thread.join(timeout)

    def put_back(self, task: Task, replay_id: str) -> None:
        """After a crash in the middle of a rebuild: the files as they were before it."""
        files = task.history.noted(replay_id)
        if files and not task.workspace.in_place:
            log.info("files are put back as they were before %s", replay_id)
            task.history.make(files, task.workspace)

    # --- one replay

    def _begin(
        self, task: Task, purpose: ReplayPurpose, run: Callable[[Task, str, Stop], ReplayFinished]
    ) -> str:
        replay_id = f"{PREFIX}{uuid.uuid4().hex[:16]}"
        stop, over = Stop(), threading.Event()
        thread = threading.Thread(
            target=self._run, args=(task, replay_id, purpose, stop, over, run), name=replay_id,
            daemon=True,
        )  # fmt: skip
        with self._lock:
            if self._closed:
                raise Conflict("GPT-Code UI is shutting down.")
            if task.conversation_id in self._live:
                raise Conflict(
                    "Cells are being run again already.", hint="Wait for it, or stop it."
                )
            self._live[task.conversation_id] = _Live(purpose, stop, thread, over)
        try:
            total = len(Kept.of(task.transcript).cells)
            self._publisher.publish_durably(
                task.conversation_id,
                ReplayProgress(replay_id=replay_id, purpose=purpose, done=0, total=total),
            )
        except BaseException:
            self._forget(task.conversation_id, over)
            raise
        thread.start()
        return replay_id

    def _forget(self, conversation_id: str, over: threading.Event) -> None:
        with self._lock:
            self._live.pop(conversation_id, None)
        over.set()

    def _run(
        self, task: Task, replay_id: str, purpose: ReplayPurpose, stop: Stop,
        over: threading.Event, run: Callable[[Task, str, Stop], ReplayFinished],
    ) -> None:  # fmt: skip
        try:
            finished = run(task, replay_id, stop)
        except Exception as error:
            if not isinstance(error, GptCodeError):
                log.exception("a replay failed")
            reason = error.message if isinstance(error, GptCodeError) else (
                "Something went wrong inside GPT-Code UI; the log has the details."
            )  # fmt: skip
            finished = ReplayFinished(
                replay_id=replay_id, purpose=purpose, status="failed", cells=0, reason=reason
            )
        self._forget(task.conversation_id, over)
        self._publisher.publish(task.conversation_id, finished)

    def _replay(
        self, task: Task, replay_id: str, purpose: ReplayPurpose, kernel: SilentKernel, stop: Stop
    ) -> Replay:
        kept = Kept.of(task.transcript)

        def tell(done: int) -> None:
            progress = ReplayProgress(
                replay_id=replay_id, purpose=purpose, done=done, total=len(kept.cells)
            )
            self._publisher.publish(task.conversation_id, progress)

        return Replay(kept, lambda code: kernel.run(code, stop), stop, progress=tell)

    # --- a proof

    def _prove(self, task: Task, replay_id: str, stop: Stop) -> ReplayFinished:
        scratch = self._scratch / replay_id
        folder = Workspace(scratch / "files")
        folder.root.mkdir(mode=0o700, parents=True)
        try:
            inputs = task.history.inputs({cell.cell_id for cell in Kept.of(task.transcript).cells})
            missing = task.history.make(inputs.first, folder, limit=SCRATCH_BYTES)
            start = task.start.model_copy(
                update={
                    "workspace": str(folder.root), "output_dir": str(scratch / "out"),
                    "versions": None,
                }
            )  # fmt: skip
            with fresh_kernel(self._kernels, self._hearers, replay_id, start) as kernel:
                replay = self._replay(task, replay_id, "proof", kernel, stop)
                replay.missing += missing
                replay.inputs += _listed(folder)
                return self._proved(task, replay_id, replay, inputs, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _proved(
        self, task: Task, replay_id: str, replay: Replay, inputs: Inputs, folder: Workspace
    ) -> ReplayFinished:
        _give_between(replay, inputs, task.history, folder)
        status = replay.prove(Comparison(self._figures.same))
        if status in ("reproduces", "differs"):
            replay.ask_packages()
        return replay.finished(replay_id, "proof", status)

    # --- variables

    def _rebuild(self, task: Task, replay_id: str, stop: Stop) -> ReplayFinished:
        purpose = self._live[task.conversation_id].purpose
        with self._hearers.listen(replay_id) as heard:
            self._kernels.ensure_kernel(task.conversation_id, task.start)
            kernel = SilentKernel(self._kernels, task.conversation_id, replay_id, heard)
            replay = self._replay(task, replay_id, purpose, kernel, stop)
            if task.workspace.in_place:
                return replay.finished(replay_id, purpose, replay.restore())
            files, complete = task.history.keep_current(replay_id, KEPT_BYTES)
            if complete:
                inputs = task.history.inputs({cell.cell_id for cell in replay.kept.cells})
                task.history.make(inputs.first, task.workspace)
                _give_between(replay, inputs, task.history, task.workspace)
            try:
                status = replay.restore()
            finally:
                task.history.make(files, task.workspace)
            return replay.finished(replay_id, purpose, status)


def _give_between(replay: Replay, inputs: Inputs, history: FileHistory, folder: Workspace) -> None:
    """Before each cell, put what the person changed before it into the folder."""
    replay.before = lambda cell: replay.missing.extend(
        history.put(inputs.before.get(cell.cell_id, {}), folder)
    )


def _listed(folder: Workspace) -> list[InputFile]:
    """The files of a fresh copy, by content."""
    found = []
    for entry in folder.list()[:LISTED_INPUTS]:
        with folder.open(entry.path)[0] as file:
            found.append(InputFile(path=entry.path, size=entry.size, sha256=digest(file)))
    return found
