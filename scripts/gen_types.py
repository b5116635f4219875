"""Write frontend/src/protocol/generated.ts from gpt_code_ui/protocol.py.

``python scripts/gen_types.py`` writes the file, ``--check`` exits 1 if it is stale.
"""

import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from gpt_code_ui import protocol
from gpt_code_ui.protocol import Value

TARGET = Path(__file__).resolve().parent.parent / "frontend/src/protocol/generated.ts"
HEADER = "// Written by scripts/gen_types.py from gpt_code_ui/protocol.py. Do not edit.\n"
# The page never sees what goes between the processes or to a vendor.
UNIONS = ("Output", "Event", "Delta", "Part")
PRIVATE = {
    "Value", "CommandMessage", "EventMessage", "LaunchRecord", "ToolCall", "UserMessage",
    "AssistantMessage", "ToolMessage", "ToolSpec", "ModelRequest", "RequestSent", "TextChunk",
    "ReasoningChunk", "ToolCallChunk", "UsageChunk", "FinishChunk", "StartKernel", "KeepVersions",
    "Execute", "InterruptKernel", "RestartKernel", "StopKernel", "InputReply", "Query",
    "QueryAnswered",
}  # fmt: skip
# R6: names that would shadow a DOM global in every module that imports them.
RENAMED = {"Event": "ConversationEvent", "Output": "CellOutputValue", "Part": "TurnPart"}
SCALARS: dict[Any, str] = {
    str: "string", int: "number", float: "number", bool: "boolean", type(None): "null",
    Any: "unknown",
}  # fmt: skip


def ts_type(annotation: Any) -> str:
    """The TypeScript spelling of a field's annotation."""
    if annotation in SCALARS:
        return SCALARS[annotation]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ts_type(args[0])
    if origin is Literal:
        return " | ".join(f'"{a}"' if isinstance(a, str) else str(a) for a in args)
    if origin in (Union, types.UnionType):
        named = union_name(annotation)
        return named or " | ".join(dict.fromkeys(ts_type(a) for a in args))
    if origin is list:
        inner = ts_type(args[0])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<{ts_type(args[0])}, {ts_type(args[1])}>"
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation.__name__
    raise TypeError(f"no TypeScript spelling for {annotation!r}")


def union_name(annotation: Any) -> str | None:
    """The exported name of a union, so that it is spelled once."""
    for name in UNIONS:
        declared = getattr(protocol, name)
        plain = get_args(declared)[0] if get_origin(declared) is Annotated else declared
        if plain == annotation:
            return RENAMED.get(name, name)
    return None


def interface(model: type[Value]) -> Iterator[str]:
    """The lines of one interface. A field that has a default may be absent on the wire."""
    yield f"/** {inspect.getdoc(model)} */"
    yield f"export interface {model.__name__} {{"
    for name, field in model.model_fields.items():
        # Everything is dumped whole but for None, which is left out.
        optional = "?" if field.default is None else ""
        spelled = ts_type(field.annotation)
        if optional:
            spelled = " | ".join(p for p in spelled.split(" | ") if p != "null")
        yield f"  {name}{optional}: {spelled};"
    yield "}"


def render() -> str:
    """The whole file."""
    lines = [HEADER]
    for model in vars(protocol).values():
        if isinstance(model, type) and issubclass(model, Value) and model.__name__ not in PRIVATE:
            lines += [*interface(model), ""]
    for name in UNIONS:
        declared = getattr(protocol, name)
        plain = get_args(declared)[0] if get_origin(declared) is Annotated else declared
        members = "\n".join(f"  | {ts_type(a)}" for a in get_args(plain))
        lines += [f"export type {RENAMED.get(name, name)} =\n{members};", ""]
    return "\n".join(lines)


def main() -> int:
    """Write or check."""
    text = render()
    if "--check" in sys.argv[1:]:
        if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET.name} is stale: run 'make types'", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
