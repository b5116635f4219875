"""One turn without a page: files in, progress told, answer, notebook and produced files out.

Nobody is there to be asked: code that asks for input is interrupted and the model hears so. What a
run produces replaces only what an earlier run of the same notebook made and nobody changed since.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.errors import GptCodeError, UsageError
from gpt_code_ui.kept_notebooks import Place
from gpt_code_ui.notebook import ipynb_text
from gpt_code_ui.notebook_file import NotebookFile, checked_path, is_ours, read_notebook
from gpt_code_ui.plain_text import plain
from gpt_code_ui.protocol import (
    ApprovalRequested,
    Attachment,
    CellFinished,
    CellOutput,
    CellPart,
    CellStarted,
    ErrorOutput,
    Event,
    InputRequested,
    TextPart,
    Transcript,
    Turn,
    TurnFinished,
)
from gpt_code_ui.subscription import Closed
from gpt_code_ui.workspace.names import folded, untaken

CHUNK = 1024 * 1024
FOREVER_S = 3600.0
LINE = 100
PRODUCED = "produced"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be done: the question, the files it is about, where the notebook goes."""

    prompt: str
    files: tuple[Path, ...] = ()
    output: Path | None = None

    def checked(self) -> "Order":
        """The same, with whole paths. Raises UsageError."""
        if not self.prompt.strip():
            raise UsageError("the prompt is empty", hint='gptcode run "What is in this file?" FILE')
        for path in self.files:
            if not path.is_file():
                raise UsageError(f"{path} is not a file", hint="name files to ask about")
            try:
                path.open("rb").close()
            except OSError as error:
                raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        output = None if self.output is None else _checked_output(self.output.absolute())
        return Order(self.prompt, tuple(p.absolute() for p in self.files), output)


@dataclass(frozen=True)
class Outcome:
    """What became of the turn; ``files`` are where they were put."""

    conversation: str
    status: str
    answer: str
    error: str | None = None
    files: list[str] = field(default_factory=list)
    notebook: str | None = None
    usage: Mapping[str, Any] | None = None
    cells: list[dict[str, Any]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 only for a turn that was completed and whose files are where they belong."""
        return 0 if self.status == "completed" and self.error is None else 1


def _checked_output(path: Path) -> Path:
    path = checked_path(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name the notebook: -o OUT.ipynb")
    if path.exists() and not is_ours(path):
        raise UsageError(
            f"{path} is there already and was not made by gptcode",
            hint="move it away, or name another notebook",
        )
    return path


class HeadlessRun:
    """One order in one conversation. ``stop`` may be called from any thread."""

    def __init__(self, conversations: Conversations, say: Say) -> None:
        self._all = conversations
        self._say = say
        self._id: str | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the turn; ``run`` returns what there is."""
        self._stopped = True
        if self._id is not None:
            self._all.stop(self._id)

    def run(self, order: Order) -> Outcome:
        """Do it, from the first question to the files at their places. Raises GptCodeError."""
        self._id = id = self._all.create().id
        before = _produced_before(order.output)
        attachments = self._bring(id, order.files)
        self._say(f"asking: {_line(order.prompt)}")
        transcript = self._ask(id, order, attachments)
        files, error = self._take_out(id, transcript, order.output, before)
        if order.output is not None:
            _note_produced(order.output, files)
        return self._outcome(transcript, order, [str(path) for path in files], error)

    # --- files in ------------------------------------------------------------------------------

    def _bring(self, id: str, files: tuple[Path, ...]) -> list[Attachment]:
        workspace = self._all.workspace(id)
        brought = []
        for path in files:
            entry = workspace.save(path.name, _chunks(path), size=path.stat().st_size)
            brought.append(Attachment(path=entry.path))
        return brought

    # --- the turn ------------------------------------------------------------------------------

    @contextmanager
    def _kept(self, id: str, output: Path | None) -> Iterator[None]:
        if output is None:
            yield
            return
        place = Place(output.parent, output.name, is_new=not output.exists())
        self._all.keep_notebook(id, place)
        try:
            yield
        finally:
            with suppress(GptCodeError):
                self._all.drop_notebook(id)

    def _ask(self, id: str, order: Order, attachments: list[Attachment]) -> Transcript:
        heard = self._all.subscribe(id, None)
        try:
            turn_id = self._all.ask(id, order.prompt, attachments=attachments)
            if self._stopped:
                self._all.stop(id)
            with self._kept(id, order.output), suppress(Closed):
                while not self._hear(id, turn_id, heard.next(FOREVER_S) or []):
                    pass
        finally:
            heard.close()
        return self._all.transcript(id)

    def _hear(self, id: str, turn_id: str, events: list[Any]) -> bool:
        """Tell what happens; True when the turn is over."""
        for published in events:
            event = published.event
            if isinstance(event, InputRequested):
                self._say("the code asks for input and nobody is here: it is interrupted")
                self._all.kernel(id, "interrupt")
            elif line := _told(event):
                self._say(line)
            if isinstance(event, TurnFinished) and event.turn_id == turn_id:
                return True
        return False

    # --- files out -----------------------------------------------------------------------------

    def _take_out(
        self, id: str, transcript: Transcript, output: Path | None, before: Mapping[str, str]
    ) -> tuple[list[Path], str | None]:
        """What the code added or changed, beside the notebook or in the working folder.

        One that cannot be written there is told, and costs neither the others nor the answer.
        """
        target = Path.cwd() if output is None else output.parent
        workspace = self._all.workspace(id)
        paths: list[Path] = []
        failed: str | None = None
        for name in _made(transcript):
            try:
                file, _ = workspace.open(name)
            except GptCodeError:
                continue  # taken away again by a later cell
            try:
                with file:
                    path = _free(target, name, before)
                    _write(path, file)
            except OSError as error:
                told = f"{target / name} cannot be written: {error.strerror or error}"
                self._say(f"{told} (it stays in the conversation)")
                failed = failed or told
                continue
            self._say(f"file: {path}")
            paths.append(path)
        return paths, failed

    def _outcome(
        self, transcript: Transcript, order: Order, files: list[str], failed: str | None
    ) -> Outcome:
        turn = transcript.turns[-1]
        error = turn.error.message if turn.error else failed
        usage = turn.usage.model_dump(exclude={"type", "turn_id"}, exclude_none=True) if (
            turn.usage
        ) else None  # fmt: skip
        return Outcome(
            conversation=transcript.id,
            status=turn.status,
            answer=_answer(turn),
            error=error,
            files=files,
            notebook=str(order.output) if order.output else None,
            usage=usage,
            cells=[_cell(part) for part in turn.parts if isinstance(part, CellPart)],
        )


# --- progress ----------------------------------------------------------------------------------


def _told(event: Event) -> str | None:
    """A line of progress, for the events that are worth one."""
    match event:
        case CellStarted():
            lines = event.code.strip().split("\n")
            more = f" (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
            return f"running: {_line(lines[0])}{more}"
        case CellOutput(output=ErrorOutput(ename=ename, evalue=evalue)):
            return f"error: {_line(plain(f'{ename}: {evalue}'))}"
        case ApprovalRequested(reasons=reasons):
            why = "; ".join(dict.fromkeys(reason.text for reason in reasons))
            return f"refused, for nobody is here to be asked: {_line(why)}"
        case CellFinished(status="ok"):
            return f"done in {event.ms / 1000:.1f} s"
        case CellFinished(status="error"):
            return "the model is told, and tries again"
        case CellFinished():
            return f"{event.status.replace('_', ' ')}: {_line(event.reason or '')}".rstrip(": ")
        case TurnFinished(status="completed"):
            return None
        case TurnFinished():
            reason = f": {event.error.message}" if event.error else ""
            hint = f" ({event.error.hint})" if event.error and event.error.hint else ""
            return f"{event.status}{reason}{hint}"
        case _:
            return None


def _line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= LINE else line[: LINE - 1] + "…"


def _answer(turn: Turn) -> str:
    """What the model said last, after the code; all it said if that is nothing."""
    texts = [part.text.strip() for part in turn.parts if isinstance(part, TextPart)]
    last = len(turn.parts)
    while last and not isinstance(turn.parts[last - 1], CellPart):
        last -= 1
    final = [part.text.strip() for part in turn.parts[last:] if isinstance(part, TextPart)]
    return "\n\n".join(filter(None, final)) or "\n\n".join(filter(None, texts))


def _cell(cell: CellPart) -> dict[str, Any]:
    """A cell in short, for a script to read."""
    errors = [o.output for o in cell.outputs if isinstance(o.output, ErrorOutput)]
    error = f"{errors[0].ename}: {errors[0].evalue}" if errors else None
    return {"code": cell.code, "status": cell.status, "ms": cell.ms, "error": error}


# --- files -------------------------------------------------------------------------------------


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _made(transcript: Transcript) -> list[str]:
    """Paths that cells of the turn added or changed, in order, each once."""
    paths: dict[str, None] = {}
    for turn in transcript.turns:
        for part in turn.parts:
            if isinstance(part, CellPart):
                paths |= dict.fromkeys([*part.files.added, *part.files.changed])
    return list(paths)


def _write(path: Path, file: BinaryIO) -> None:
    """Copy to ``path``, which has the whole file or what it had before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _free(target: Path, name: str, before: Mapping[str, str]) -> Path:
    """Where a produced file goes: its own name, unless that is somebody else's file."""
    path = target / name
    if not os.path.lexists(path) or before.get(str(path)) == _digest(path):
        return path
    taken = {folded(one.name) for one in path.parent.iterdir()}
    return path.with_name(untaken(path.name, taken))


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _produced_before(output: Path | None) -> dict[str, str]:
    """What the last run of this notebook put beside it, by path, with its hash."""
    if output is None or not output.exists():
        return {}
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        noted = read_notebook(output)["metadata"]["gptcode"].get(PRODUCED, {})
        return {str(output.parent / name): str(digest) for name, digest in noted.items()}
    return {}


def _note_produced(output: Path, files: list[Path]) -> None:
    """Write into the notebook what it made, for the next run to know."""
    with suppress(OSError, ValueError, KeyError):
        notebook = read_notebook(output)
        noted = {path.relative_to(output.parent).as_posix(): _digest(path) for path in files}
        notebook["metadata"]["gptcode"][PRODUCED] = noted
        NotebookFile(output, is_new=False).write(ipynb_text(notebook))
