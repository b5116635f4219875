"""What a person does with cells that ran: edit, delete, revert, branch off, run all again.

A cell that runs or waits is left alone; everything that happens is told through the publisher.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gpt_code_ui.branches import branch_link, copied, moment, turns_before
from gpt_code_ui.errors import Conflict, ConsentNeeded, NotFound
from gpt_code_ui.file_history import FileHistory, Reverted
from gpt_code_ui.installs import installs_packages
from gpt_code_ui.protocol import (
    CellDeleted,
    CellPart,
    ConversationChanged,
    Execute,
    FilesChanged,
    StartKernel,
    Transcript,
    Turn,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.replay import Kept
from gpt_code_ui.replays import Replays, Task
from gpt_code_ui.store import Store
from gpt_code_ui.turns import Kernels, Ports, new_id
from gpt_code_ui.workspace import Versions

UNDONE = "revert"
BRANCH_BYTES = 4 << 30  # of all files of a branch


@dataclass(frozen=True)
class Places:
    """Where versions of files, scratch copies and whole outputs lie."""

    versions: Path
    scratch: Path
    outputs: Path

    @classmethod
    def below(cls, data: Path) -> "Places":
        """As the data folder has them."""
        return cls(data / "versions", data / "replays", data / "outputs")


class Reruns:
    """Every method may be called from any thread and raises NotFound for what is not there."""

    def __init__(
        self, store: Store, kernels: Kernels, publisher: Publisher, ports: Ports,
        replays: Replays, places: Places, transcript: Callable[[str], Transcript],
        begin: Callable[..., Transcript], running: Callable[[str], bool],
    ) -> None:  # fmt: skip
        """``transcript`` gives a conversation as it is, ``begin`` makes a new one, ``running``
        says whether a turn or a cell runs.
        """
        self._store = store
        self._kernels = kernels
        self._publisher = publisher
        self._ports = ports
        self._replays = replays
        self._places = places
        self._transcript = transcript
        self._begin = begin
        self._running = running

    # --- cells

    def edit(self, conversation_id: str, cell_id: str, code: str) -> None:
        """Run a cell again in its place, with other code. Raises Conflict while it runs."""
        cell, turn = self._idle_cell(conversation_id, cell_id)
        self.refuse_rebuilding(conversation_id)
        command = Execute(
            cell_id=cell_id, code=code, origin=cell.origin, turn_id=turn.turn_id,
            installs=installs_packages(code),
        )  # fmt: skip
        self._kernels.ensure_kernel(conversation_id, self._start(conversation_id))
        self._kernels.execute(conversation_id, command)

    def delete(self, conversation_id: str, cell_id: str) -> None:
        """Take a cell away; what it did stays. Raises Conflict while it runs."""
        self._idle_cell(conversation_id, cell_id)
        self._publisher.publish_durably(conversation_id, CellDeleted(cell_id=cell_id))

    def revert(self, conversation_id: str, cell_id: str, *, force: bool = False) -> Reverted:
        """Undo a cell's changes to files, or an earlier revert by its id.

        Raises Conflict (something runs, or a file changed since) and InvalidValue (a version was
        not kept).
        """
        if not cell_id.startswith(UNDONE):
            self._idle_cell(conversation_id, cell_id)
        self._refuse_running(conversation_id)
        history = self._history(conversation_id)
        done = history.revert(cell_id, f"{UNDONE}-{new_id()}", force=force)
        self._publisher.publish(conversation_id, FilesChanged(files=done.files))
        return done

    # --- all of them again

    def prove(self, conversation_id: str) -> str:
        """Begin a proof in a fresh kernel and a fresh copy of the inputs; its id."""
        task = self._task(conversation_id)
        if not Kept.of(task.transcript).cells:
            raise Conflict("There is no cell to run again yet.", hint="Run some code first.")
        return self._replays.prove(task)

    def restore(self, conversation_id: str, *, consent: bool = False) -> str:
        """Begin to bring the variables back. Raises Conflict while something runs, and for a
        person's own folder without ``consent``: cells that write files do it again.
        """
        self._refuse_running(conversation_id)
        task = self._task(conversation_id)
        if task.workspace.in_place and not consent:
            raise ConsentNeeded(
                f"The cells would run again in {task.workspace.root}, and may write there.",
                hint='Send "consent": true if they may.',
            )
        return self._replays.rebuild(task, "restore")

    def stop(self, conversation_id: str) -> None:
        """End the conversation's replay."""
        self._transcript(conversation_id)
        self._replays.stop(conversation_id)

    def refuse_rebuilding(self, conversation_id: str) -> None:
        """Raises Conflict while the kernel's variables are being brought back."""
        if self._replays.rebuilding(conversation_id):
            raise Conflict("The variables are being brought back.", hint="Wait for it, or stop it.")

    def put_back(self, transcript: Transcript) -> None:
        """At start: put the files back that a crash left in the middle of a rebuild."""
        replay = transcript.replay
        if replay is not None and replay.purpose != "proof":
            with suppress(NotFound, OSError):
                self._replays.put_back(self._task(transcript.id, transcript), replay.replay_id)

    # --- branches

    def fork(self, conversation_id: str, before_turn: str) -> Transcript:
        """A new conversation as this one was before a turn, with its own files and kernel."""
        transcript = self._transcript(conversation_id)
        kept, turn = turns_before(transcript, before_turn)
        began = turn.started_at
        branch = self._begin(
            title=transcript.title, model=transcript.model, kernel=transcript.kernel_name or "",
            python=transcript.python or "", network=transcript.network,
        ).id  # fmt: skip
        log = self._store.events(conversation_id, 0)
        for at, event in copied(log, kept, began, branch):
            self._publisher.publish(branch, event, at=at)
        link = branch_link(transcript, before_turn, kept)
        change = ConversationChanged(parent=link, rules=transcript.rules)
        self._publisher.publish_durably(branch, change)
        self._publisher.call(lambda: self._store.copy_requests(conversation_id, branch))
        self._copy_outputs(conversation_id, branch)
        self._copy_files(conversation_id, branch, moment(began))
        task = self._task(branch)
        if Kept.of(task.transcript).cells:
            self._replays.rebuild(task, "branch")
        return self._transcript(branch)

    def _copy_outputs(self, source: str, branch: str) -> None:
        with suppress(FileNotFoundError):
            shutil.copytree(self._places.outputs / source, self._places.outputs / branch)

    def _copy_files(self, source: str, branch: str, began: float) -> None:
        history = self._history(source)
        versions = Versions(self._places.versions / branch)
        versions.copy_runs(Versions(self._places.versions / source), history.runs_before(began))
        own = self._ports.own_workspace or self._ports.workspace_for
        missing = history.make(history.at(began), own(branch), limit=BRANCH_BYTES)
        if missing:
            lost = FilesChanged.model_validate({"files": {"removed": sorted(missing)}})
            self._publisher.publish(branch, lost)

    # --- inside

    def _task(self, conversation_id: str, transcript: Transcript | None = None) -> Task:
        return Task(
            conversation_id, transcript or self._transcript(conversation_id),
            self._ports.workspace_for(conversation_id), self._history(conversation_id),
            self._start(conversation_id),
        )  # fmt: skip

    def _start(self, conversation_id: str) -> StartKernel:
        summary = self._store.conversation(conversation_id)
        start = self._ports.kernel_start(conversation_id)
        return start if summary is None else self._ports.start_of(summary)

    def _history(self, conversation_id: str) -> FileHistory:
        versions = Versions(self._places.versions / conversation_id)
        return FileHistory(versions, self._ports.workspace_for(conversation_id))

    def _idle_cell(self, conversation_id: str, cell_id: str) -> tuple[CellPart, Turn]:
        for turn in self._transcript(conversation_id).turns:
            for part in turn.parts:
                if isinstance(part, CellPart) and part.cell_id == cell_id:
                    waits = self._kernels.has_cell(conversation_id, cell_id)
                    if waits or part.status in ("writing", "waiting", "running"):
                        raise Conflict("This cell is running.", hint="Wait for it, or stop it.")
                    return part, turn
        raise NotFound(f"There is no cell {cell_id} in this conversation.")

    def _refuse_running(self, conversation_id: str) -> None:
        self.refuse_rebuilding(conversation_id)
        if self._running(conversation_id):
            raise Conflict("Code is running.", hint="Wait for it, or stop it.")
