"""The conversation as a Jupyter notebook (nbformat 4.5).

Outputs are nbformat's own from the start, so this only arranges them: prompts and answers become
Markdown cells, code keeps its outputs, and nothing that ran is left out.
"""

import hashlib
import json
from typing import Any, assert_never

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
METADATA_KEY = "gpt_code_ui"
MIME_OF_OBJECTS = ("application/json", "+json")


def notebook(transcript: Transcript) -> dict[str, Any]:
    """A valid nbformat v4.5 notebook, as it is written to a ``.ipynb`` file.

    Code that did not end well is tagged ``raises-exception``; code that never ran is kept, without
    outputs, and says so in its metadata.
    """
    cells = []
    for number, turn in enumerate(transcript.turns):
        cells += _prompt_cells(turn, number)
        for part in turn.parts:
            cells += _part_cells(part)
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": transcript.title,
        },
        "cells": _with_unique_ids(cells),
    }


def _prompt_cells(turn: Turn, number: int) -> list[dict[str, Any]]:
    if turn.turn_id is None or not turn.prompt:
        return []
    lines = "\n".join(f"> {line}".rstrip() for line in turn.prompt.splitlines())
    files = "".join(f"\n>\n> *{attachment.path}*" for attachment in turn.attachments)
    return [_markdown(f"prompt-{number}-{turn.turn_id}", lines + files, "prompt")]


def _part_cells(part: Part) -> list[dict[str, Any]]:
    match part:
        case TextPart():
            return [_markdown(part.part_id, part.text, "answer")] if part.text.strip() else []
        case ReasoningPart() | ToolPart():
            return []
        case CellPart():
            return [_code(part)]
        case _:
            assert_never(part)


def _markdown(id: str, source: str, role: str) -> dict[str, Any]:
    return {
        "id": id,
        "cell_type": "markdown",
        "metadata": {METADATA_KEY: {"role": role}},
        "source": source,
    }


def _code(cell: CellPart) -> dict[str, Any]:
    metadata: dict[str, Any] = {METADATA_KEY: {"origin": cell.origin, "status": cell.status}}
    if cell.status not in ("ok", "not_run", "writing"):
        metadata["tags"] = [RAISES]
    return {
        "id": cell.cell_id,
        "cell_type": "code",
        "metadata": metadata,
        "execution_count": cell.execution_count,
        "source": cell.code,
        "outputs": [_output(shown.output, cell.execution_count) for shown in cell.outputs],
    }


def _output(output: Output, execution_count: int | None) -> dict[str, Any]:
    match output:
        case StreamOutput() | ErrorOutput():
            return output.model_dump()
        case DisplayDataOutput():
            return {**output.model_dump(), "data": _bundle(output.data)}
        case ExecuteResultOutput():
            count = execution_count if output.execution_count is None else output.execution_count
            data = _bundle(output.data)
            return {**output.model_dump(), "data": data, "execution_count": count}
        case _:
            assert_never(output)


def _bundle(data: dict[str, Any]) -> dict[str, Any]:
    """A MIME bundle as the format wants it: text, except where the type is JSON."""
    return {
        kind: content if _is_object(kind) or _is_text(content) else json.dumps(content)
        for kind, content in data.items()
    }


def _is_object(kind: str) -> bool:
    return kind.endswith(MIME_OF_OBJECTS)


def _is_text(content: object) -> bool:
    lines = content if isinstance(content, list) else [content]
    return all(isinstance(line, str) for line in lines)


def _with_unique_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
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
