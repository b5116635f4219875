"""The tool ``read_output``: pages through, and looks for text in, what a cell printed in all.

Answers are held to 8 KB. What is looked for is plain text and no regular expression: a pattern of a
model could keep this process busy for ever.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.history import SHORTENED
from gpt_code_ui.plain_text import plain
from gpt_code_ui.protocol import AssistantMessage, CellPart, ChatMessage, Reason, ToolSpec

ANSWER_BYTES = 8192
LINE_CHARACTERS = 500
PIECE_BYTES = 1 << 16
EXAMPLE = 'Call it like {"cell": "3", "lines": "1-100"} or {"cell": "3", "pattern": "error"}.'

READ_OUTPUT = ToolSpec(
    name="read_output",
    description=(
        "Read more of what a cell printed, where its result was shortened: some lines, or the "
        "lines that hold a text. The answer has at most 8 KB and says where to go on."
    ),
    parameters={
        "type": "object",
        "properties": {
            "cell": {"type": "string", "description": "The cell's number or id."},
            "lines": {"type": "string", "description": 'First and last line, like "101-200".'},
            "pattern": {
                "type": "string",
                "description": "Text to look for, in any case; no regular expression.",
            },
        },
        "required": ["cell"],
        "additionalProperties": False,
    },
)


class Stop(Protocol):
    """Whether somebody asked to stop."""

    @property
    def requested(self) -> bool: ...


class ReadOutput:
    """The tool for one conversation: its cells as they are now, and where their output lies."""

    spec = READ_OUTPUT
    server: str | None = None

    def __init__(
        self, cells: Callable[[], Sequence[CellPart]], file_of: Callable[[str], Path | None]
    ) -> None:
        self._cells = cells
        self._file_of = file_of

    def offered(self, messages: Sequence[ChatMessage]) -> bool:
        """Only where something was shortened."""
        return any(
            SHORTENED in one.text for one in messages if not isinstance(one, AssistantMessage)
        )

    def reasons(self, arguments: str) -> list[Reason]:
        """None: it reads what the model could have been told anyhow."""
        return []

    def run(self, arguments: str, stop: Stop) -> str:
        """The lines asked for, numbered. Raises InvalidValue."""
        asked = _read(arguments)
        first, last = _range(asked.get("lines"))
        pattern = str(asked.get("pattern") or "").casefold()
        path = self._file_of(self._cell(str(asked.get("cell"))).cell_id)
        if path is None:
            return "[this cell printed nothing]"
        with path.open("rb") as file:
            return _answer(_lines(file, first, last, pattern, stop))

    def _cell(self, name: str) -> CellPart:
        """Of several cells with one number the newest: a restarted kernel counts anew."""
        for cell in reversed(self._cells()):
            if name in (cell.cell_id, str(cell.execution_count)):
                return cell
        raise InvalidValue(f"There is no cell {name}.", hint=EXAMPLE)


def _read(arguments: str) -> dict[str, Any]:
    try:
        asked = json.loads(arguments)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise InvalidValue("The arguments are no JSON object.", hint=EXAMPLE)
    return asked


def _range(lines: object) -> tuple[int, int | None]:
    """First and last line, counted from 1; no last one for "101-"."""
    text = "1-" if lines in (None, "") else str(lines).replace(" ", "")
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise InvalidValue(f"{text!r} names no lines.", hint=EXAMPLE)
    end = int(last) if last else None if dash else int(first)
    return max(int(first), 1), end


def _lines(
    file: BinaryIO, first: int, last: int | None, pattern: str, stop: Stop
) -> Iterator[tuple[int, str]]:
    """The lines that are meant, each with its number."""
    number, begins = 0, True
    while piece := file.readline(PIECE_BYTES):
        if stop.requested or (last is not None and number >= last and begins):
            return
        number += begins
        if number >= first and (begins or pattern):
            line = plain(piece.decode("utf-8", "replace").rstrip("\n"))
            if pattern in line.casefold():
                yield number, line
        begins = piece.endswith(b"\n")


def _answer(lines: Iterator[tuple[int, str]]) -> str:
    told: list[str] = []
    room = ANSWER_BYTES - 100
    for number, line in lines:
        if len(line) > LINE_CHARACTERS:
            line = f"{line[:LINE_CHARACTERS]} [... {len(line) - LINE_CHARACTERS:,} more characters]"
        text = f"{number}: {line}"
        room -= len(text.encode("utf-8", "replace")) + 1
        if room < 0:
            told.append(f'[more follows: go on with lines "{number}-"]')
            break
        told.append(text)
    return "\n".join(told) or "[no such lines]"
