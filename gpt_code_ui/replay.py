"""Cells run once more, in order: to prove that they give the same, or to bring variables back.

Knows a kernel only as a function that runs code. Cells that were interrupted, ran out of time or
died with their kernel are not run again: they never came to an end that could be compared.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gpt_code_ui.compare import Comparison
from gpt_code_ui.errors import GptCodeError, KernelError
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    CellPart,
    Difference,
    InputFile,
    ReplayFinished,
    ReplayPurpose,
    ReplayStatus,
    StreamOutput,
    Transcript,
)

RUN_AGAIN = frozenset({"ok", "error"})
NOT_RUN = frozenset({"not_run", "writing", "waiting", "running"})
# Versions of what the code imported; its output is read by ``packages``.
ASK_PACKAGES = """
def _gptcode_versions():
    import sys, json, platform
    from importlib import metadata
    mine, found = set(), {}
    try:
        by_module = metadata.packages_distributions()
    except Exception:
        by_module = {}
    for name in list(sys.modules):
        mine.update(by_module.get(name.partition(".")[0], ()))
    for name in mine:
        try:
            found[name] = metadata.version(name)
        except Exception:
            pass
    print(json.dumps({"python": platform.python_version(), "packages": found}))
_gptcode_versions()
del _gptcode_versions
"""

Run = Callable[[str], CellPart]


@dataclass(frozen=True)
class Kept:
    """The cells of a conversation that are run again, and how many are not."""

    cells: Sequence[CellPart]
    skipped: int

    @classmethod
    def of(cls, transcript: Transcript) -> "Kept":
        """In the order in which they stand."""
        ran = [
            part
            for turn in transcript.turns
            for part in turn.parts
            if isinstance(part, CellPart) and part.status not in NOT_RUN
        ]
        cells = [cell for cell in ran if cell.status in RUN_AGAIN]
        return cls(cells, len(ran) - len(cells))


@dataclass
class Replay:
    """One replay: what it runs with, and what came of it.

    ``before(cell)`` is called before each cell. ``missing`` has the input files that could not be
    had; a cell that fails for want of one differs by its input. ``compared(cell)`` tells whether
    the outputs of a cell are known.
    """

    kept: Kept
    run: Run
    stop: Stop
    progress: Callable[[int], None] = lambda _: None
    before: Callable[[CellPart], None] = lambda _: None
    compared: Callable[[CellPart], bool] = lambda _: True
    done: int = 0
    difference: Difference | None = None
    reason: str | None = None
    python: str | None = None
    packages: dict[str, str] | None = None
    missing: list[str] = field(default_factory=list)
    inputs: list[InputFile] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def prove(self, comparison: Comparison) -> ReplayStatus:
        """Run and compare, to the first difference. Raises nothing of a kernel's."""

        def look(number: int, expected: CellPart, found: CellPart) -> bool:
            if not self.compared(expected):
                expected = expected.model_copy(update={"outputs": []})
                found = _only_error(found)
            self.difference = self._for_want(comparison.cells(number, expected, found))
            return self.difference is not None

        return self._go(look, "reproduces", "differs")

    def restore(self) -> ReplayStatus:
        """Run everything, whatever comes of it."""
        return self._go(lambda *_: False, "restored", "failed")

    def _go(
        self, look: Callable[[int, CellPart, CellPart], bool], good: ReplayStatus,
        bad: ReplayStatus,
    ) -> ReplayStatus:  # fmt: skip
        try:
            for number, cell in enumerate(self.kept.cells, 1):
                if self._is_stopped():
                    return "stopped"
                self.before(cell)
                found = self.run(cell.code)
                if self._is_stopped():
                    return "stopped"
                if found.status not in RUN_AGAIN:
                    return self._fail(found.reason or f"Cell {number} ended as {found.status}.")
                self.done = number
                self.progress(number)
                if look(number, cell, found):
                    return bad
            return good
        except KernelError as error:
            return self._fail(error.message)

    def _is_stopped(self) -> bool:
        return self.stop.requested

    def _for_want(self, difference: Difference | None) -> Difference | None:
        """A failure that names an input which is missing is that input's."""
        if difference is None or difference.kind != "exception":
            return difference
        lost = next((p for p in self.missing if p.rpartition("/")[2] in difference.found), None)
        if lost is None:
            return difference
        change = {"kind": "changed_input", "expected": f"{lost} as it was"}
        return difference.model_copy(update=change)

    def _fail(self, reason: str) -> ReplayStatus:
        self.reason = reason
        return "failed"

    def ask_packages(self) -> None:
        """Learn what Python and which packages it ran on; of other languages nothing."""
        try:
            cell = self.run(ASK_PACKAGES)
        except GptCodeError:
            return
        found = packages(cell)
        self.python, self.packages = found or (None, None)

    def finished(
        self, replay_id: str, purpose: ReplayPurpose, status: ReplayStatus
    ) -> ReplayFinished:
        """How it ended, as an event."""
        return ReplayFinished(
            replay_id=replay_id, purpose=purpose, status=status, cells=self.done,
            ms=round((time.monotonic() - self._began) * 1000),
            skipped=self.kept.skipped or None, difference=self.difference, reason=self.reason,
            python=self.python, packages=self.packages, inputs=self.inputs or None,
        )  # fmt: skip


def packages(cell: CellPart) -> tuple[str, dict[str, str]] | None:
    """Python's version and the packages', from what ASK_PACKAGES printed."""
    text = "".join(o.output.text for o in cell.outputs if isinstance(o.output, StreamOutput))
    try:
        told = json.loads(text.strip().rpartition("\n")[2])
        found: Mapping[str, str] = told["packages"]
        return str(told["python"]), {str(k): str(v) for k, v in sorted(found.items())}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _only_error(cell: CellPart) -> CellPart:
    errors: Iterable[object] = (o for o in cell.outputs if o.output.output_type == "error")
    return cell.model_copy(update={"outputs": list(errors)})
