"""The tools that ``gptcode mcp`` offers, as a table, and their arguments, checked."""

import binascii
import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.read_output import READ_OUTPUT

LARGEST_NUMBER = 1 << 53
INSTRUCTIONS = (
    "A Python interpreter on the person's own computer. Variables, imports and files stay from "
    "call to call. Figures come back as images. The person can watch on the page of GPT-Code UI."
)


@dataclass(frozen=True)
class Row:
    """A tool as clients are told of it."""

    name: str
    description: str
    schema: dict[str, Any]
    read_only: bool = False


def _object(*required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(required),
        "additionalProperties": False,
    }  # fmt: skip


_PATH = {"type": "string", "description": "Path in the working folder, with / between folders."}

TOOLS: tuple[Row, ...] = (
    Row(
        "execute_code",
        "Run Python code in a Jupyter kernel that keeps its variables from call to call. Returns "
        "what was printed, the value of the last line, figures as images, and the error if any.",
        _object("code", code={"type": "string", "description": "The code of one cell."}),
    ),
    Row("list_files", "The files in the working folder, with their sizes.", _object(), True),
    Row(
        "read_file",
        "Read a text file of the working folder, or see a picture in it.",
        _object(
            "path", path=_PATH,
            offset={"type": "integer", "minimum": 0, "description": "First byte, from 0."},
            limit={"type": "integer", "minimum": 1, "description": "How many bytes, else 32768."},
        ),
        True,
    ),
    Row(
        "write_file",
        "Write a file into the working folder, in place of one with the same name.",
        _object(
            "path", "content", path=_PATH,
            content={"type": "string", "description": "What is to be in the file."},
            encoding={
                "type": "string", "enum": ["utf-8", "base64"],
                "description": "How the content is written here; utf-8 if left out.",
            },
        ),
    ),
    Row("read_output", READ_OUTPUT.description, READ_OUTPUT.parameters, True),
    Row(
        "restart_kernel",
        "End the kernel and start a fresh one: variables are lost, files stay.",
        _object(),
    ),
    Row("interrupt", "Interrupt the code that runs. Variables stay.", _object()),
)  # fmt: skip


class Arguments:
    """The arguments of a call. Every method raises InvalidValue."""

    def __init__(self, tool: str, given: dict[str, Any] | None) -> None:
        row = next((row for row in TOOLS if row.name == tool), None)
        if row is None:
            raise InvalidValue(f"There is no tool {tool}.")
        self._given = given or {}
        for name in self._given:
            if name not in row.schema["properties"]:
                raise InvalidValue(f"{tool} takes no {name}.")
        for name in row.schema.get("required", ()):
            if name not in self._given:
                raise InvalidValue(f"{tool} needs {name}.")

    def text(self, name: str) -> str:
        """A text."""
        value = self._given.get(name)
        if not isinstance(value, str):
            raise InvalidValue(f"{name} has to be text.")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number of 0 or more."""
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST_NUMBER:
            raise InvalidValue(f"{name} has to be a whole number, 0 or more.")
        return value

    def content(self) -> bytes:
        """The bytes of a file that is written."""
        text = self.text("content")
        if self._given.get("encoding", "utf-8") == "utf-8":
            return text.encode("utf-8", "replace")
        try:
            return b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidValue("content is not valid base64.") from error

    def json(self) -> str:
        """All of them, as JSON."""
        return json.dumps(self._given)
