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
            shown = DisplayDataOutput(data=content["data"], metadata=content.get("metadata") or {})
            return Shown(parent, shown, display_id(content))
        case "execute_result":
            result = ExecuteResultOutput(
                data=content["data"],
                metadata=content.get("metadata") or {},
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
            data, metadata = dict(content["data"]), dict(content.get("metadata") or {})
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


def display_id(content: dict[str, Any]) -> str | None:
    """The handle by which an output can be updated, if it has one."""
    name = (content.get("transient") or {}).get("display_id")
    return name if isinstance(name, str) else None
