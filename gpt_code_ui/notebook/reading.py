"""A notebook, ours or anyone's, as the events of a conversation that looks like it.

Any version is upgraded by nbformat first. Cells of ours know their turn; all others are parts of a
turn that nobody asked, with what else they had kept for the export. No event says that a kernel
lives: what the code made is not there any more.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.notebook.export import FORMAT, METADATA_KEY, RAISES
from gpt_code_ui.notebook.parts import language_of
from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellStarted,
    Event,
    Output,
    StreamOutput,
    TextDone,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)

Json = dict[str, Any]
Timed = tuple[str | None, Event]
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
OUTPUT_FIELDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}
ENDED = ("ok", "error", "interrupted", "timeout", "died", "not_run")
# What a notebook that was kept while it ran says of the cell that ran.
UNFINISHED = {"running": "interrupted", "writing": "not_run", "waiting": "not_run"}
_outputs: TypeAdapter[Output] = TypeAdapter(Output)


@dataclass(frozen=True)
class Imported:
    """What a notebook holds: events in order, each with the time it had if that is known."""

    title: str
    model: str | None
    rules: str | None
    kept: Json | None
    language: str
    events: list[Timed] = field(default_factory=list)


def read_notebook(value: object, name: str) -> Imported:
    """The notebook that a JSON value is; ``name`` is its file's. Raises InvalidValue."""
    upgraded = _upgraded(value)
    metadata = _valid(_mapping(upgraded.get("metadata")), "notebook")
    ours = _ours(metadata)
    try:
        events = list(_Reader(ours, name).events(upgraded))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InvalidValue(f"The notebook has a cell that cannot be read: {where}.") from error
    stem = name.removesuffix(".ipynb")
    left_out = (METADATA_KEY, "orig_nbformat", "orig_nbformat_minor")
    rest = {key: inner for key, inner in metadata.items() if key not in left_out}
    return Imported(
        title=str(ours["title"] if "title" in ours else metadata.get("title") or stem),
        model=_text(ours.get("model")),
        rules=_text(ours.get("rules")),
        kept=None if ours and not ours.get("kept") else rest,
        language=language_of({"metadata": metadata}),
        events=events,
    )


def _upgraded(value: object) -> Json:
    """The same in the newest minor version of nbformat 4."""
    import nbformat

    if not isinstance(value, dict) or not isinstance(value.get("nbformat"), int):
        raise InvalidValue(
            "This is no notebook: it has no nbformat.", hint="Choose a file that Jupyter wrote."
        )
    if value["nbformat"] not in nbformat.versions:
        raise InvalidValue(f"Notebooks of format {value['nbformat']} are not known here.")
    try:
        reader = nbformat.versions[value["nbformat"]].nbjson.JSONReader()
        notebook = reader.to_notebook(_filled(value) if value["nbformat"] == 4 else value)
        if value["nbformat"] < nbformat.current_nbformat:
            notebook = nbformat.convert(notebook, nbformat.current_nbformat)  # type: ignore[no-untyped-call]
        upgraded: Json = _plain(notebook)
        cells = upgraded["cells"]
        assert isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    # Whatever is missing or of another type than the format says, somewhere inside nbformat.
    except Exception as error:
        raise InvalidValue(
            "This is no notebook: its cells cannot be read.", hint="Open it in Jupyter first."
        ) from error
    return upgraded


def _filled(value: Json) -> Json:
    """With the empty fields that tools leave out, or write as null, and nbformat asks for."""
    whole = value | {"metadata": {} if value.get("metadata") is None else value["metadata"]}
    if isinstance(cells := value.get("cells"), list):
        whole["cells"] = [_filled_cell(cell) if isinstance(cell, dict) else cell for cell in cells]
    return whole


def _filled_cell(cell: Json) -> Json:
    empty: Json = {"metadata": {}, "source": ""}
    if cell.get("cell_type") == "code":
        empty |= {"outputs": [], "execution_count": None}
    return cell | {name: value for name, value in empty.items() if cell.get(name) is None}


def _plain(value: Any) -> Any:
    """Without nbformat's own kind of dictionary."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _ours(metadata: Json) -> Json:
    ours = _mapping(metadata.get(METADATA_KEY))
    return ours if ours.get("format") == FORMAT and isinstance(ours.get("turns"), list) else {}


class _Reader:
    """Goes through the cells once; the turn that is open ends when another begins."""

    def __init__(self, ours: Json, name: str) -> None:
        self._name = name
        self._is_ours = bool(ours)
        turns = [_mapping(turn) for turn in ours.get("turns", ())]
        self._turns = {str(turn["turn_id"]): turn for turn in turns if turn.get("turn_id")}
        self._begun: set[str] = set()
        self._open: str | None = None
        self._ids: set[str] = set()

    def events(self, notebook: Json) -> Iterator[Timed]:
        """Every event of the conversation, in order."""
        for cell in notebook["cells"]:
            ours = _mapping(_mapping(cell.get("metadata")).get(METADATA_KEY))
            yield from self._turn_of(cell, ours)
            yield from self._cell(cell, ours)
        yield from self._end()

    # --- turns

    def _turn_of(self, cell: Json, ours: Json) -> Iterator[Timed]:
        """Begin the turn the cell belongs to, where it is not the one that is open."""
        named = ours.get("turn")
        if self._is_ours and isinstance(named, str) and named in self._turns:
            if named != self._open:
                yield from self._end()
                yield from self._begin(named, cell, ours)
        elif self._is_ours and "origin" in ours and named is None:
            yield from self._end()  # the person's own, between two turns
        elif self._open is None:
            yield from self._begin_import()

    def _begin(self, turn_id: str, cell: Json, ours: Json) -> Iterator[Timed]:
        self._open = turn_id
        if turn_id in self._begun:
            return
        self._begun.add(turn_id)
        turn = self._turns[turn_id]
        imported = _text(turn.get("imported"))
        prompt = _unquoted(_source(cell)) if ours.get("role") == "prompt" else ""
        if not prompt and imported is None and ours.get("role") != "prompt":
            prompt = "…"  # its cell was taken away
        files = [str(path) for path in turn.get("attachments") or ()]
        yield _time(turn.get("started_at")), TurnStarted.model_validate(
            {
                "turn_id": turn_id, "prompt": prompt, "model": str(turn.get("model") or ""),
                "attachments": [{"path": path} for path in files], "imported": imported,
            }
        )  # fmt: skip

    def _begin_import(self) -> Iterator[Timed]:
        turn_id = _new_id()
        self._turns[turn_id] = {"status": "completed"}
        self._begun.add(turn_id)
        self._open = turn_id
        yield None, TurnStarted(turn_id=turn_id, prompt="", model="", imported=self._name)

    def _end(self) -> Iterator[Timed]:
        """Finish the open turn; a part of it that comes later is still put where it belongs."""
        turn_id, self._open = self._open, None
        if turn_id is None:
            return
        turn = self._turns[turn_id]
        if usage := _mapping(turn.pop("usage", None)):
            yield None, Usage.model_validate({"turn_id": turn_id, **usage})
        if status := turn.pop("status", None):
            finished = {"turn_id": turn_id, "status": status, "error": turn.get("error")}
            if status == "running":
                finished["status"] = "stopped"
            yield None, TurnFinished.model_validate(finished)

    # --- cells

    def _cell(self, cell: Json, ours: Json) -> Iterator[Timed]:
        role = ours.get("role")
        if cell.get("cell_type") == "code":
            yield from self._code(cell, ours)
        elif self._is_ours and role == "prompt" and self._open:
            return
        elif self._is_ours and role == "tool" and self._open and ours.get("call"):
            yield from self._tool(_mapping(ours["call"]), self._open)
        else:
            kept = None if self._is_ours and role == "answer" else _kept(cell)
            turn_id = self._open
            if turn_id is None:
                yield from self._begin_import()
                turn_id = self._open
            assert turn_id is not None
            yield (
                None,
                TextDone(part_id=self._id(cell), turn_id=turn_id, text=_source(cell), kept=kept),
            )

    def _tool(self, call: Json, turn_id: str) -> Iterator[Timed]:
        started = {name: call.get(name) for name in ("call_id", "server", "name", "arguments")}
        yield None, ToolStarted.model_validate({**started, "turn_id": turn_id})
        finished = {
            "call_id": call.get("call_id"), "content": call.get("content", ""),
            "status": "ok" if call.get("status") == "ok" else "error",
        }  # fmt: skip
        yield None, ToolFinished.model_validate(finished)

    def _code(self, cell: Json, ours: Json) -> Iterator[Timed]:
        cell_id = self._id(cell)
        kept = _kept_metadata(cell)
        started = CellStarted.model_validate(
            {
                "cell_id": cell_id, "turn_id": self._open, "code": _source(cell),
                "origin": ours.get("origin") or "person", "repaired": ours.get("repaired"),
                "kept": {"metadata": kept} if kept else None,
            }
        )  # fmt: skip
        yield _time(ours.get("started_at")), started
        outputs = [_output(output) for output in cell.get("outputs") or ()]
        displays = _mapping(ours.get("displays"))
        for at, output in enumerate(outputs):
            display_id = _text(displays.get(str(at)))
            yield None, CellOutput(cell_id=cell_id, output=output, display_id=display_id)
        if truncated := ours.get("truncated"):
            nothing = StreamOutput(name="stdout", text="")
            yield (
                None,
                CellOutput.model_validate(
                    {"cell_id": cell_id, "output": nothing, "truncated": truncated}
                ),
            )
        yield None, _finished(cell_id, cell, ours)

    def _id(self, cell: Json) -> str:
        """The cell's own id, if it is a good one and not taken."""
        own = cell.get("id")
        good = isinstance(own, str) and CELL_ID.fullmatch(own) and own not in self._ids
        id = str(own) if good else _new_id()
        self._ids.add(id)
        return id


def _finished(cell_id: str, cell: Json, ours: Json) -> CellFinished:
    status = ours.get("status")
    status = UNFINISHED.get(str(status), status)
    count = cell.get("execution_count")
    if status not in ENDED:
        kinds = {output.get("output_type") for output in cell.get("outputs") or ()}
        has_run = count is not None or kinds
        status = "error" if "error" in kinds else "ok" if has_run else "not_run"
    return CellFinished.model_validate(
        {
            "cell_id": cell_id, "status": status, "execution_count": count,
            "ms": ours.get("ms") or 0, "reason": ours.get("reason"),
            "files": ours.get("files") or {},
        }
    )  # fmt: skip


def _output(value: object) -> Output:
    """An output with the fields the format knows; lines of text are one text."""
    output = _mapping(value)
    kind = str(output.get("output_type"))
    if kind not in OUTPUT_FIELDS:  # of a version to come: what can be shown of it
        kind = "display_data" if "data" in output else "stream"
    fields = {name: output[name] for name in OUTPUT_FIELDS.get(kind, ()) if name in output}
    if kind == "stream":
        fields["text"] = _joined(fields.get("text", ""))
        fields["name"] = "stderr" if fields.get("name") == "stderr" else "stdout"
    if kind == "error":
        fields["traceback"] = [str(line) for line in fields.get("traceback") or ()]
    if "data" in fields:
        data = _mapping(fields["data"])
        fields["data"] = {mime: _bundled(mime, inner) for mime, inner in data.items()}
        fields["metadata"] = _mapping(fields.get("metadata"))
    return _outputs.validate_python({"output_type": kind, **fields})


def _bundled(mime: str, value: object) -> object:
    return value if mime == "application/json" or mime.endswith("+json") else _joined(value)


def _kept(cell: Json) -> Json:
    """All that a cell has beside its text."""
    kept = {"cell_type": cell.get("cell_type"), "metadata": _kept_metadata(cell)}
    attachments = cell.get("attachments")
    return {**kept, "attachments": attachments} if attachments else kept


def _kept_metadata(cell: Json) -> Json:
    metadata = _mapping(cell.get("metadata"))
    ours = METADATA_KEY in metadata
    rest = {
        name: value
        for name, value in metadata.items()
        if name != METADATA_KEY and not (ours and name == "tags" and value == [RAISES])
    }
    return _valid(rest, str(cell.get("cell_type")))


def _valid(metadata: Json, of: str) -> Json:
    """Without what the format forbids: ours has to be valid even where what came was not."""
    if not metadata or _is_valid(metadata, of):
        return metadata
    return {name: value for name, value in metadata.items() if _is_valid({name: value}, of)}


def _is_valid(metadata: Json, of: str) -> bool:
    import nbformat

    whole: Json = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    if of == "notebook":
        whole["metadata"] = metadata
    else:
        kind = of if of in ("code", "markdown") else "raw"
        more: Json = {"outputs": [], "execution_count": None} if kind == "code" else {}
        cell = {"id": "x", "cell_type": kind, "metadata": metadata, "source": "", **more}
        whole["cells"] = [cell]
    try:
        nbformat.validate(whole)
    except nbformat.ValidationError:
        return False
    return True


def _unquoted(source: str) -> str:
    """The prompt in the quotation that a prompt's cell begins with."""
    lines = []
    for line in source.split("\n"):
        if not line.startswith(">"):
            break
        lines.append(line[1:].removeprefix(" "))
    return "\n".join(lines) if lines else source


def _source(cell: Json) -> str:
    return str(_joined(cell.get("source") or ""))


def _joined(value: object) -> object:
    if isinstance(value, list):
        return "".join(str(line) for line in value)
    return value


def _time(value: object) -> str | None:
    """A time as it stands in an event, if it is one."""
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return str(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: object) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def _new_id() -> str:
    return uuid.uuid4().hex[:16]
