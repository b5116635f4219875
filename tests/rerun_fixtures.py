"""Conversations on a real store and real kernels, for tests of what runs again."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.data_folder import DataFolder
from gpt_code_ui.kernel.client import KernelClient
from gpt_code_ui.ports import Limits
from gpt_code_ui.protocol import (
    CellFinished,
    CellPart,
    Event,
    KeepVersions,
    ReplayFinished,
    StartKernel,
    Transcript,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.silent_kernel import Hearers
from gpt_code_ui.store import Store
from gpt_code_ui.supervisor import Supervisor
from gpt_code_ui.turns import Ports
from gpt_code_ui.workspace import Workspace
from tests.fakes_web import EchoModel

WAIT_S = 40.0
E = TypeVar("E", bound=Event)


class Lab:
    """One data folder with everything that runs below the web layer."""

    def __init__(self, folder: Path, in_place: Path | None = None) -> None:
        self.data = DataFolder(folder / "data")
        self.in_place = in_place
        self.file_bytes = self.total_bytes = 1 << 28
        self.store = Store(self.data.log)
        self.publisher = Publisher(self.store)
        hearers = Hearers(self.publisher.publish)
        self.kernels = KernelClient(hearers.publish)
        self.supervisor = Supervisor(run_dir=folder / "r", client=self.kernels)
        self.supervisor.start()
        self.all = Conversations(
            self.store, self.kernels, self.publisher, self._ports(), Limits(), self.data.outputs,
            None, hearers,
        )  # fmt: skip
        self.reruns = self.all.reruns

    def close(self) -> None:
        self.all.close()
        self.supervisor.stop()
        self.kernels.close()
        self.store.close()

    def _ports(self) -> Ports:
        model = EchoModel()
        return Ports(
            model_for=lambda name: (name or "m", model),
            models=lambda: ([], "m"),
            workspace_for=self.workspace,
            own_workspace=self._own,
            kernel_start=self._start,
            system_prompt=lambda *_: "",
        )

    def workspace(self, id: str) -> Workspace:
        root = self.data.workspace(id, self.in_place)
        return Workspace(root, in_place=not root.is_relative_to(self.data.path))

    def _own(self, id: str) -> Workspace:
        self.data.workspace(id, None)
        return self.workspace(id)

    def _start(self, id: str) -> StartKernel:
        workspace = self.workspace(id)
        versions = KeepVersions(
            dir=str(self.data.version_dir(id)), file_bytes=self.file_bytes,
            total_bytes=self.total_bytes, in_place=workspace.in_place,
        )  # fmt: skip
        return StartKernel(
            workspace=str(workspace.root), python=sys.executable,
            output_dir=str(self.data.output_dir(id)), versions=versions,
        )  # fmt: skip

    # --- what a person does

    def begin(self) -> str:
        return self.all.create(title="t").id

    def run(self, id: str, code: str, after: str | None = None) -> CellPart:
        """Run the person's code to its end."""
        last = self.all.last_seq()
        cell_id = self.all.run_cell(id, code, after)
        self.finished(id, cell_id, last)
        return self.all.cell(id, cell_id)

    def edit(self, id: str, cell_id: str, code: str) -> CellPart:
        last = self.all.last_seq()
        self.reruns.edit(id, cell_id, code)
        self.finished(id, cell_id, last)
        return self.all.cell(id, cell_id)

    def ask(self, id: str, prompt: str) -> str:
        last = self.all.last_seq()
        turn = self.all.ask(id, prompt)
        self.wait(id, lambda e: e.type == "turn_finished", last)
        return turn

    def finished(self, id: str, cell_id: str, after: int) -> None:
        self.wait(id, lambda e: isinstance(e, CellFinished) and e.cell_id == cell_id, after)

    def replayed(self, id: str, after: int = 0) -> ReplayFinished:
        """How the replay ended."""
        event = self.wait(id, lambda e: isinstance(e, ReplayFinished), after)
        assert isinstance(event, ReplayFinished)
        return event

    def prove(self, id: str) -> ReplayFinished:
        last = self.all.last_seq()
        self.reruns.prove(id)
        return self.replayed(id, last)

    def restore(self, id: str, *, consent: bool = False) -> ReplayFinished:
        last = self.all.last_seq()
        self.all.kernel(id, "restore", consent=consent)
        return self.replayed(id, last)

    def restart(self, id: str) -> None:
        last = self.all.last_seq()
        self.all.kernel(id, "restart")

        def fresh(event: Event) -> bool:
            # The old kernel may still have to say that it is idle.
            return event.type == "kernel_status" and event.state == "idle" and not event.used

        self.wait(id, fresh, last)

    def wait(self, id: str, condition: Callable[[Event], object], after: int = 0) -> Event:
        """The first event after number ``after`` that fits."""
        subscription = self.all.subscribe(id, after)
        try:
            while (chunk := subscription.next(WAIT_S)) is not None:
                for one in chunk:
                    if condition(one.event):
                        return one.event
            raise AssertionError("no such event came")
        finally:
            subscription.close()

    def transcript(self, id: str) -> Transcript:
        return self.all.transcript(id)

    def cells(self, id: str) -> list[CellPart]:
        turns = self.transcript(id).turns
        return [part for turn in turns for part in turn.parts if isinstance(part, CellPart)]

    def file(self, id: str, path: str) -> Path:
        return self.workspace(id).root / path


def printed(cell: CellPart) -> str:
    """What the cell wrote to stdout and stderr."""
    return "".join(getattr(o.output, "text", "") for o in cell.outputs)


@contextmanager
def running_lab(in_place: Path | None = None) -> Iterator[Lab]:
    """A lab in a folder with a short path, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gptcode-", dir="/tmp") as folder:
        lab = Lab(Path(folder), in_place)
        try:
            yield lab
        finally:
            lab.close()
