"""What a kernel says, as our values: the only place that knows the fields of Jupyter's messages."""

from dataclasses import dataclass
from typing import Any

from gpt_code_ui.protocol import (
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    Output,
    StreamOutput,
)


@dataclass(frozen=True)
class Shown:
    """An output of the request ``parent``."""

    parent: str
    output: Output
    display_id: str | None = None


@dataclass(frozen=True)
class Updated:
    """All outputs with this display id show something else."""

    parent: str
    display_id: str
    data: dict[str, Any]
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Cleared:
    """``clear_output`` was called."""

    parent: str
    wait: bool


@dataclass(frozen=True)
class Began:
    """The kernel took the request up: from now on an interrupt reaches it."""

    parent: str


@dataclass(frozen=True)
class Idle:
    """All outputs of the request were sent."""

    parent: str


@dataclass(frozen=True)
class Replied:
    """The request is over; ``leaves``: the code called ``exit()``."""

    parent: str
    status: str
    execution_count: int | None
    leaves: bool


@dataclass(frozen=True)
class Asked:
    """The code waits for a line of input."""

    parent: str
    prompt: str
    password: bool


@dataclass(frozen=True)
class Answered:
    """What our own code in the kernel found in its variables."""

    parent: str
    content: dict[str, Any]


# Deeper values cannot be written and read again by everybody on their way to the page.
DEPTH_MAX = 100
TOO_DEEP = "An output was nested too deeply to be shown."

KernelMessage = Shown | Updated | Cleared | Began | Idle | Replied | Asked | Answered


def read_message(kind: str, parent: str, content: dict[str, Any]) -> KernelMessage | None:
    """A Jupyter message as our value; None for what does not concern us. Raises what is malformed.

    https://jupyter-client.readthedocs.io/en/stable/messaging.html
    """
    match kind:
        case "stream":
            text = content["text"]
            if content["name"] == "stderr":
                return Shown(parent, StreamOutput(name="stderr", text=text))
            return Shown(parent, StreamOutput(name="stdout", text=text))
        case "display_data":
            shown = DisplayDataOutput(data=bundle(content), metadata=flat(content.get("metadata")))
            return Shown(parent, shown, display_id(content))
        case "execute_result":
            result = ExecuteResultOutput(
                data=bundle(content),
                metadata=flat(content.get("metadata")),
                execution_count=content.get("execution_count"),
            )
            return Shown(parent, result, display_id(content))
        case "error":
            error = ErrorOutput(
                ename=content["ename"], evalue=content["evalue"], traceback=content["traceback"]
            )
            return Shown(parent, error)
        case _:
            return read_state_message(kind, parent, content)


def read_state_message(kind: str, parent: str, content: dict[str, Any]) -> KernelMessage | None:
    """The messages that are no outputs."""
    match kind:
        case "update_display_data":
            name = display_id(content)
            data, metadata = bundle(content), flat(content.get("metadata"))
            return Updated(parent, name, data, metadata) if name else None
        case "clear_output":
            return Cleared(parent, bool(content.get("wait")))
        case "execute_input":
            return Began(parent)
        case "status":
            return Idle(parent) if content["execution_state"] == "idle" else None
        case "execute_reply":
            payload = content.get("payload") or []
            leaves = any(p["source"] == "ask_exit" and not p.get("keepkernel") for p in payload)
            count = content.get("execution_count")
            count = count if isinstance(count, int) else None
            return Replied(parent, str(content["status"]), count, leaves)
        case "gptcode_answer":
            return Answered(parent, dict(content))
        case "input_request":
            return Asked(parent, str(content.get("prompt", "")), bool(content.get("password")))
        case _:
            return None


def bundle(content: dict[str, Any]) -> dict[str, Any]:
    """The data of an output by MIME type, without what is nested too deeply."""
    data = flat(content["data"])
    return data if data or not content["data"] else {"text/plain": TOO_DEEP}


def flat(values: Any) -> dict[str, Any]:
    """The values that are not nested too deeply."""
    return {name: value for name, value in dict(values or {}).items() if not is_deep(value)}


def is_deep(value: Any) -> bool:
    """Whether a JSON value has more than ``DEPTH_MAX`` levels."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner for one in level if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]  # fmt: skip
        if not level:
            return False
    return True


def display_id(content: dict[str, Any]) -> str | None:
    """The handle by which an output can be updated, if it has one."""
    name = (content.get("transient") or {}).get("display_id")
    return name if isinstance(name, str) else None
