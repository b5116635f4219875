"""A tool of an MCP server as the model gets it: a name the API takes, a schema, a result as text.

A result is held to the same number of bytes as the output of a cell, and says what is left out;
pictures and other bytes are named, not sent.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from gpt_code_ui.errors import InvalidValue, ToolFailed
from gpt_code_ui.plain_text import cut, plain
from gpt_code_ui.protocol import ChatMessage, Reason, ToolSpec

NAME_LENGTH = 64
SERVER_LENGTH = 24
# What the API of OpenAI takes.
DESCRIPTION_LENGTH = 1024
SCHEMA_BYTES = 32_768
ANY_OBJECT: dict[str, Any] = {"type": "object", "properties": {}}


class Stop(Protocol):
    """A request to stop that may come at any moment."""

    def on_request(self, callback: Callable[[], None]) -> AbstractContextManager[None]: ...


class Facts(Protocol):
    """A tool as its server tells of it."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def schema(self) -> dict[str, Any]: ...

    @property
    def read_only(self) -> bool: ...


Call = Callable[[dict[str, Any], Stop], dict[str, Any]]


class McpTool:
    """One tool of one server. ``call`` asks the server; ``trusted``: its own words are believed."""

    def __init__(
        self, server: str, facts: Facts, call: Call, *, trusted: bool, output_bytes: int
    ) -> None:
        self.server: str | None = server
        self.spec = spec_of(server, facts)
        self._tool = facts.name
        self._harmless = trusted and facts.read_only
        self._call = call
        self._output_bytes = output_bytes

    def offered(self, messages: Sequence[ChatMessage]) -> bool:
        """Always."""
        return True

    def reasons(self, arguments: str) -> list[Reason]:
        """One: nobody here knows what it does; none where a trusted server says it only reads."""
        if self._harmless:
            return []
        text = f"calls {self._tool} of the MCP server {self.server}"
        kind, what = f"tool:{self.server}/{self._tool}", f"{self.server}: {self._tool}"
        return [Reason(line=1, text=text, kind=kind, what=what)]

    def run(self, arguments: str, stop: Stop) -> str:
        """What the model gets. Raises InvalidValue, ToolFailed."""
        result = self._call(_object(arguments), stop)
        text = cut(text_of(result), self._output_bytes)
        if result.get("isError"):
            raise ToolFailed(text)
        return text


def unique(tools: Iterable[McpTool], most: int) -> list[McpTool]:
    """The first ``most`` tools, each under a name of its own."""
    found: dict[str, McpTool] = {}
    for tool in tools:
        if len(found) == most:
            break
        name, number = tool.spec.name, 2
        while name in found:
            suffix = f"_{number}"
            name, number = tool.spec.name[: NAME_LENGTH - len(suffix)] + suffix, number + 1
        tool.spec = tool.spec.model_copy(update={"name": name})
        found[name] = tool
    return list(found.values())


def spec_of(server: str, facts: Facts) -> ToolSpec:
    """As the model is told of it."""
    description = facts.description.strip() or facts.name
    told = f"{description} (MCP server {server})"
    if len(told) > DESCRIPTION_LENGTH:
        told = f"{description[: DESCRIPTION_LENGTH - 100]} [...] (MCP server {server})"
    return ToolSpec(
        name=name_of(server, facts.name), description=told, parameters=schema_of(facts.schema)
    )


def name_of(server: str, tool: str) -> str:
    """``<server>__<tool>`` in the characters and the length that the API takes.

    What was changed beyond recognition or cut keeps apart by a few digits of its hash.
    """
    head = re.sub(r"_+", "_", _plain(server))[:SERVER_LENGTH].strip("_") or "mcp"
    tail = _plain(tool)
    name = f"{head}__{tail}"
    if tail == tool and len(name) <= NAME_LENGTH:
        return name
    digits = hashlib.sha256(tool.encode()).hexdigest()[:6]
    return f"{name[: NAME_LENGTH - 7]}_{digits}"


def _plain(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", text)


def schema_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema if it is one of an object, else one of any object."""
    if schema.get("type") != "object" or len(json.dumps(schema)) > SCHEMA_BYTES:
        return ANY_OBJECT
    known = {name: value for name, value in schema.items() if name != "$schema"}
    if not isinstance(known.get("properties"), dict):
        known["properties"] = {}
    return known


def text_of(result: dict[str, Any]) -> str:
    """A result of the protocol as text: its content, then what is structured and not in it."""
    texts = list(_texts(result.get("content") or []))
    structured = result.get("structuredContent")
    if structured is not None and not any(_is_json_of(text, structured) for text in texts):
        texts.append(json.dumps(structured, ensure_ascii=False))
    return "\n".join(text for text in texts if text) or "[no output]"


def _texts(content: Iterable[dict[str, Any]]) -> Iterator[str]:
    for block in content:
        match block.get("type"):
            case "text":
                yield plain(str(block.get("text", "")))
            case "image" | "audio" as kind:
                size = _bytes_in(block.get("data"))
                yield f"[{kind} {block.get('mimeType', '')}, {size:,} bytes, not shown to you]"
            case "resource":
                yield _resource(block.get("resource") or {})
            case "resource_link":
                yield f"[link to the resource {block.get('uri', '')}: {block.get('name', '')}]"
            case other:
                yield f"[{other}, which cannot be shown]"


def _resource(resource: dict[str, Any]) -> str:
    where = f"[resource {resource.get('uri', '')}"
    if "text" in resource:
        return f"{where}]\n{plain(str(resource['text']))}"
    kind = resource.get("mimeType") or "bytes"
    return f"{where}, {kind}, {_bytes_in(resource.get('blob')):,} bytes, not shown to you]"


def _bytes_in(base64: object) -> int:
    text = str(base64 or "")
    return len(text) * 3 // 4 - text[-2:].count("=")


def _is_json_of(text: str, value: object) -> bool:
    try:
        return bool(json.loads(text) == value)
    except (ValueError, RecursionError):
        return False


def _object(arguments: str) -> dict[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidValue(
            "The arguments are no JSON object.", hint="Call it again with one, as its schema says."
        )
    return value
