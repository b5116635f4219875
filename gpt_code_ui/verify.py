"""``gptcode verify``: a notebook run again without a page, in a fresh kernel and a fresh copy of
what lies beside it, and compared with the outputs it holds.

The notebook may be anybody's. Nothing beside it is changed, and nothing is kept.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gpt_code_ui.compare import Comparison
from gpt_code_ui.containment import cage_options, contain, refuse_to_ask
from gpt_code_ui.errors import GptCodeError, KernelError, NotFound
from gpt_code_ui.figures import Figures
from gpt_code_ui.kernel.client import KernelClient
from gpt_code_ui.languages import plain_language
from gpt_code_ui.ports import Stop
from gpt_code_ui.program import make_run_dir
from gpt_code_ui.proof_notes import KEY, noted_inputs
from gpt_code_ui.protocol import (
    CageOptions,
    CellPart,
    Difference,
    Event,
    InputFile,
    Output,
    ReplayFinished,
    StartKernel,
    TranscriptOutput,
)
from gpt_code_ui.reader_cage import ReaderCage
from gpt_code_ui.replay import RUN_AGAIN, Kept, Replay
from gpt_code_ui.settings import Settings
from gpt_code_ui.silent_kernel import PREFIX, Hearers, fresh_kernel
from gpt_code_ui.supervisor import LaunchOptions, Supervisor
from gpt_code_ui.workspace import Workspace
from gpt_code_ui.workspace.objects import digest

NAME = f"{PREFIX}verify"
FOLDER_BYTES = 1 << 30
CHUNK = 1 << 20
SHOWN_INPUTS = 8
OUTPUT_FIELDS = {
    "stream": ("name", "text"), "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}  # fmt: skip
_output: TypeAdapter[Output] = TypeAdapter(Output)


def verify(
    path: Path, settings: Settings, progress: Callable[[int, int], None] = lambda *_: None
) -> ReplayFinished:
    """Run the notebook again. ``progress(done, total)``. Raises KernelError if it cannot be read.

    ``failed`` means that it could not be run to an end.
    """
    choice = contain(settings)
    refuse_to_ask(choice)
    level, cage = choice.level or "none", cage_options(settings)
    notebook = _read(path)
    kept = kept_cells(notebook)
    if not any(_is_compared(cell) for cell in kept.cells):
        raise KernelError(
            f"{path} holds no outputs to compare.", hint="Run it once and save it, then verify."
        )
    stop = Stop()
    with ExitStack() as endings:
        folder = Workspace(Path(endings.enter_context(tempfile.TemporaryDirectory())))
        given = noted_inputs(notebook["metadata"])
        missing = _copy_inputs(path, given, folder)
        replay = Replay(
            kept, lambda code: kernel.run(code, stop), stop, compared=_is_compared,
            progress=lambda done: progress(done, len(kept.cells)), missing=missing,
        )  # fmt: skip
        if given and missing:
            replay.difference = _changed(missing[0], given)
            return replay.finished(NAME, "proof", "differs")
        replay.inputs = given or _hashed(folder)
        kernels, hearers = _manager(cage, endings)
        out = endings.enter_context(tempfile.TemporaryDirectory())
        start = _start(notebook["metadata"], settings, folder.root, out)
        start = start.model_copy(update={"sandbox": level})
        kernel = endings.enter_context(fresh_kernel(kernels, hearers, NAME, start))
        status = replay.prove(Comparison(Figures(ReaderCage(level, cage.hidden)).same))
        if status in ("reproduces", "differs"):
            replay.ask_packages()
        return replay.finished(NAME, "proof", status)


def report(path: Path, result: ReplayFinished) -> Iterator[str]:
    """The result in lines for a person."""
    difference = result.difference
    if result.status == "reproduces":
        python = f" on Python {result.python}" if result.python else ""
        yield f"{path} reproduces: {result.cells} cells in {result.ms / 1000:.1f} s{python}"
    elif difference is not None:
        place = f", output {difference.output + 1}" if difference.output is not None else ""
        yield f"{path} differs at cell {difference.cell}{place}: {_kind(difference)}"
        yield f"  expected  {_one_line(difference.expected)}"
        yield f"  found     {_one_line(difference.found)}"
    else:
        yield f"{path} could not be run again: {result.reason or result.status}"
    if result.skipped:
        yield f"  {result.skipped} cells that never came to an end were not run"
    inputs = result.inputs or ()
    for given in inputs[:SHOWN_INPUTS]:
        yield f"  input     {given.path}  sha256 {given.sha256}"
    if len(inputs) > SHOWN_INPUTS:
        yield f"  and {len(inputs) - SHOWN_INPUTS} more files; --json lists them all"


def kept_cells(notebook: Mapping[str, Any]) -> Kept:
    """The code cells as they are run again."""
    cells, skipped = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or not cell["source"].strip():
            continue
        status = _status(cell)
        if status == "not_run":
            continue
        if status not in RUN_AGAIN:
            skipped += 1
            continue
        outputs = [TranscriptOutput(output=one) for one in _outputs(cell["outputs"])]
        cells.append(
            CellPart(
                cell_id=str(cell.get("id") or ""),
                code=cell["source"],
                origin="person",
                status="ok",
                outputs=outputs,
                execution_count=cell.get("execution_count"),
            )
        )
    return Kept(cells, skipped)


def _status(cell: Mapping[str, Any]) -> str:
    ours = cell["metadata"].get(KEY)
    status = ours.get("status") if isinstance(ours, dict) else None
    return status if isinstance(status, str) else "ok"


def _outputs(rows: list[Mapping[str, Any]]) -> Iterator[Output]:
    """Outputs as our values; of streams that follow each other one, as in a transcript."""
    for row in rows:
        fields = OUTPUT_FIELDS.get(row["output_type"], ())
        value = {name: row[name] for name in fields if name in row}
        with suppress(ValidationError):
            yield _output.validate_python({"output_type": row["output_type"], **value})


def _is_compared(cell: CellPart) -> bool:
    """A cell that was never run promises nothing."""
    return bool(cell.outputs) or cell.execution_count is not None


def _read(path: Path) -> Mapping[str, Any]:
    import nbformat

    try:
        notebook: Mapping[str, Any] = nbformat.read(  # type: ignore[no-untyped-call]
            path, as_version=4
        )
        nbformat.validate(notebook)
    except FileNotFoundError as error:
        raise NotFound(f"There is no notebook {path}.") from error
    except Exception as error:
        raise KernelError(
            f"{path} cannot be read as a notebook: {_one_line(str(error))}"
        ) from error
    return notebook


def _copy_inputs(path: Path, given: list[InputFile], folder: Workspace) -> list[str]:
    """Copy what the notebook needs; the paths that are not there as they were, or too large."""
    beside = Workspace(path.resolve().parent, in_place=True)
    if given:
        return [one.path for one in given if not _copy_same(beside, one, folder)]
    left, missing = FOLDER_BYTES, []
    for entry in sorted(beside.list(), key=lambda one: one.size):
        left -= entry.size
        if left < 0 or not _copy(beside, entry.path, folder):
            missing.append(entry.path)
    return missing


def _copy_same(beside: Workspace, given: InputFile, folder: Workspace) -> bool:
    if not _copy(beside, given.path, folder):
        return False
    with folder.open(given.path)[0] as file:
        return digest(file) == given.sha256


def _copy(beside: Workspace, path: str, folder: Workspace) -> bool:
    try:
        file, entry = beside.open(path)
        with file:
            chunks = iter(lambda: file.read(CHUNK), b"")
            folder.save(path, chunks, size=entry.size, replace=True)
    except (GptCodeError, OSError):
        return False
    return True


def _hashed(folder: Workspace) -> list[InputFile]:
    found = []
    for entry in folder.list():
        with folder.open(entry.path)[0] as file:
            found.append(InputFile(path=entry.path, size=entry.size, sha256=digest(file)))
    return found


def _changed(path: str, given: list[InputFile]) -> Difference:
    was = next(one.sha256 for one in given if one.path == path)
    return Difference(
        kind="changed_input", cell=1, expected=f"{path} with sha256 {was}",
        found=f"{path} is not beside the notebook, or has changed",
    )  # fmt: skip


def _manager(cage: CageOptions, endings: ExitStack) -> tuple[KernelClient, Hearers]:
    """A kernel manager of our own."""

    def nobody(name: str, event: Event) -> None:
        """There is no conversation."""

    run_dir = make_run_dir()
    endings.callback(shutil.rmtree, run_dir, ignore_errors=True)
    hearers = Hearers(nobody)
    client = KernelClient(hearers.publish)
    endings.callback(client.close)
    options = LaunchOptions(log_level="WARNING", log=lambda line: None, cage=cage)
    supervisor = Supervisor(run_dir=run_dir, client=client, options=options)
    endings.callback(supervisor.stop)
    supervisor.start()
    return client, hearers


def _start(metadata: Mapping[str, Any], settings: Settings, folder: Path, out: str) -> StartKernel:
    spec, info = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    language = plain_language(str(spec.get("language") or info.get("name") or "python"))
    name = settings.kernel or (spec.get("name") if language != "python" else None)
    return StartKernel(
        workspace=str(folder), python=str(settings.python), kernel_name=name, output_dir=out,
        language=None if language == "python" else language,
    )  # fmt: skip


def _kind(difference: Difference) -> str:
    return {
        "number": "a number", "text": "text", "figure": "a figure", "exception": "an exception",
        "missing_output": "an output is missing", "extra_output": "an output more",
        "changed_input": "an input has changed",
    }[difference.kind]  # fmt: skip


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "(nothing)"
