"""The conversation as a Jupyter notebook (nbformat 4.5).

Outputs are nbformat's own from the start, so this only arranges them: prompts and answers become
Markdown cells, code keeps its outputs, tool calls are noted, and nothing that ran is left out.
Thinking is left out: a notebook is handed on, and how the model came to its code is not part of it.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, assert_never

from gpt_code_ui.proof_notes import replay_note
from gpt_code_ui.protocol import (
    CellPart,
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    Output,
    Part,
    ReasoningPart,
    StreamOutput,
    TextPart,
    ToolPart,
    Transcript,
    Turn,
)

RAISES = "raises-exception"  # nbconvert and nbclient go on after such a cell
METADATA_KEY = "gptcode"
FORMAT = 1  # of what stands under that name
MIME_OF_OBJECTS = ("application/json", "+json")
PYTHON_SPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
PYTHON_INFO = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}

Json = dict[str, Any]


def notebook(transcript: Transcript, spec: Mapping[str, str] | None = None) -> Json:
    """A valid nbformat v4.5 notebook, as it is written to a ``.ipynb`` file.

    ``spec`` is the kernelspec of the conversation's kernel; a notebook that was imported keeps its
    own. Code that did not end well is tagged ``raises-exception``; code that never ran is kept,
    without outputs, and says so in its metadata.
    """
    cells = []
    for number, turn in enumerate(transcript.turns):
        cells += _prompt_cells(turn, number)
        for part in turn.parts:
            cells += _part_cells(part, turn)
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": _metadata(transcript, spec or PYTHON_SPEC),
        "cells": _with_unique_ids(cells),
    }


# --- the notebook's own metadata ---------------------------------------------------------------


def _metadata(transcript: Transcript, spec: Mapping[str, str]) -> Json:
    language = spec.get("language", "python")
    info = PYTHON_INFO if language == "python" else {"name": language}
    ours: Json = {
        "format": FORMAT,
        "conversation": transcript.id,
        "model": transcript.model,
        "rules": transcript.rules,
        "usage": _total(transcript),
        "replay": replay_note(transcript),
        "turns": [_turn(turn) for turn in transcript.turns if turn.turn_id is not None],
        "title": transcript.title,
        "kept": transcript.kept is not None or None,
    }
    own = {"kernelspec": dict(spec), "language_info": info, "title": transcript.title}
    metadata = own if transcript.kept is None else finite(transcript.kept)
    return {**metadata, METADATA_KEY: _without_none(ours)}


def _turn(turn: Turn) -> Json:
    usage = turn.usage.model_dump(exclude={"type", "turn_id"}) if turn.usage else None
    return _without_none(
        {
            "turn_id": turn.turn_id,
            "model": turn.model,
            "status": turn.status,
            "error": _without_none(turn.error.model_dump()) if turn.error else None,
            "usage": _without_none(usage) if usage else None,
            "attachments": [one.path for one in turn.attachments] or None,
            "started_at": turn.started_at,
            "imported": turn.imported,
        }
    )


def _total(transcript: Transcript) -> Json | None:
    """Tokens of all turns, and the cost where it is known of every one."""
    usages = [turn.usage for turn in transcript.turns if turn.usage]
    if not usages:
        return None
    costs = [usage.cost for usage in usages if usage.cost is not None]
    return _without_none(
        {
            "input_tokens": sum(usage.input_tokens for usage in usages),
            "output_tokens": sum(usage.output_tokens for usage in usages),
            "cost": sum(costs) if len(costs) == len(usages) else None,
        }
    )


# --- cells -------------------------------------------------------------------------------------


def _prompt_cells(turn: Turn, number: int) -> list[Json]:
    if turn.turn_id is None or turn.imported is not None:
        return []
    # The files stand below the quotation, so that the prompt itself can be read back from it.
    names = ", ".join(f"`{attachment.path}`" for attachment in turn.attachments)
    files = f"\n\n*Files: {names}*" if names else ""
    role = {"role": "prompt", "turn": turn.turn_id}
    return [_markdown(f"prompt-{number}-{turn.turn_id}", quoted(turn.prompt) + files, role)]


def quoted(text: str) -> str:
    """A text as a Markdown quotation; the reading side takes it apart again, to the letter."""
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _part_cells(part: Part, turn: Turn) -> list[Json]:
    match part:
        case TextPart(kept=None):
            role = {"role": "answer", "turn": turn.turn_id}
            return [_markdown(part.part_id, part.text, role)] if part.text.strip() else []
        case TextPart():
            return [_kept_text(part, part.kept or {}, turn)]
        case ReasoningPart():
            return []
        case ToolPart():
            return [_tool(part, turn)]
        case CellPart():
            return [_code(part, turn)]
        case _:
            assert_never(part)


def _kept_text(part: TextPart, kept: Json, turn: Turn) -> Json:
    """A Markdown or raw cell as it stood in the notebook it came from."""
    kept = finite(kept)
    kind = "raw" if kept.get("cell_type") == "raw" else "markdown"
    ours = {"role": "text", "turn": turn.turn_id}
    cell = {
        "id": part.part_id,
        "cell_type": kind,
        "metadata": {**kept.get("metadata", {}), METADATA_KEY: _without_none(ours)},
        "source": part.text,
    }
    return {**cell, "attachments": kept["attachments"]} if kept.get("attachments") else cell


def _tool(part: ToolPart, turn: Turn) -> Json:
    name = f"{part.server}: {part.name}" if part.server else part.name
    fields = part.model_dump(exclude={"type"})
    ours = {"role": "tool", "turn": turn.turn_id, "call": _without_none(fields)}
    source = f"*Tool call: {name} ({part.status})*\n\n{fenced(part.arguments, 'json')}"
    return _markdown(part.call_id, source, ours)


def fenced(text: str, language: str = "") -> str:
    """A fenced block that nothing in the text can end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _markdown(id: str, source: str, ours: Json) -> Json:
    return {
        "id": id,
        "cell_type": "markdown",
        "metadata": {METADATA_KEY: _without_none(ours)},
        "source": source,
    }


def _code(cell: CellPart, turn: Turn) -> Json:
    kept = finite(cell.kept or {})
    metadata: Json = {**kept.get("metadata", {}), METADATA_KEY: _of_cell(cell, turn)}
    tags = [str(tag) for tag in metadata.get("tags") or ()]
    if cell.status not in ("ok", "not_run", "writing", "waiting") and RAISES not in tags:
        metadata["tags"] = [*tags, RAISES]
    return {
        "id": cell.cell_id,
        "cell_type": "code",
        "metadata": metadata,
        "execution_count": cell.execution_count,
        "source": cell.code,
        "outputs": [_output(shown.output, cell.execution_count) for shown in cell.outputs],
    }


def _of_cell(cell: CellPart, turn: Turn) -> Json:
    files = {how: paths for how, paths in cell.files.model_dump().items() if paths}
    displays = {str(at): one.display_id for at, one in enumerate(cell.outputs) if one.display_id}
    return _without_none(
        {
            "turn": turn.turn_id,
            "origin": cell.origin,
            "status": cell.status,
            "started_at": cell.started_at,
            "ms": cell.ms,
            "reason": cell.reason,
            "repaired": cell.repaired,
            "files": files or None,
            "displays": displays or None,
            "truncated": cell.truncated.model_dump() if cell.truncated else None,
        }
    )


# --- outputs -----------------------------------------------------------------------------------


def _output(output: Output, execution_count: int | None) -> Json:
    match output:
        case StreamOutput() | ErrorOutput():
            return output.model_dump()
        case DisplayDataOutput():
            return {**finite(output.model_dump()), "data": _bundle(output.data)}
        case ExecuteResultOutput():
            count = execution_count if output.execution_count is None else output.execution_count
            whole = finite(output.model_dump())
            return {**whole, "data": _bundle(output.data), "execution_count": count}
        case _:
            assert_never(output)


def _bundle(data: Json) -> Json:
    """A MIME bundle as the format wants it: text, except where the type is JSON."""
    return {
        kind: finite(content) if _is_object(kind) or _is_text(content) else json.dumps(content)
        for kind, content in data.items()
    }


def _is_object(kind: str) -> bool:
    return kind.endswith(MIME_OF_OBJECTS)


def _is_text(content: object) -> bool:
    lines = content if isinstance(content, list) else [content]
    return all(isinstance(line, str) for line in lines)


def finite(value: Any) -> Any:
    """A JSON value without NaN and infinity, which no reader but Python's takes."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(key): finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [finite(inner) for inner in value]
        case _:
            return value


def _without_none(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _with_unique_ids(cells: list[Json]) -> list[Json]:
    """Cell ids have 64 characters of a small alphabet at most, and occur once."""
    seen: set[str] = set()
    for position, cell in enumerate(cells):
        id = cell["id"]
        plain = id.isascii() and id.replace("-", "").replace("_", "").isalnum()
        if not plain or len(id) > 64 or id in seen:
            id = hashlib.sha256(f"{position} {id}".encode()).hexdigest()[:32]
        seen.add(id)
        cell["id"] = id
    return cells
