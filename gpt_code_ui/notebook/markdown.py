"""A notebook as one Markdown file: the text as it stands, code and what it printed in fences.

Pictures are inside the file; HTML is told by the text that goes with it.
"""

from typing import Any

from gpt_code_ui.notebook.export import fenced
from gpt_code_ui.notebook.parts import (
    PICTURES,
    interactive_name,
    language_of,
    note_of_cell,
    plain_output,
    pretty_json,
    text_of,
)

Json = dict[str, Any]


def markdown_text(notebook: Json, title: str) -> str:
    """The whole file."""
    language = language_of(notebook)
    blocks = [f"# {title}"] if title else []
    for cell in notebook["cells"]:
        blocks += _cell(cell, language)
    return "\n\n".join(block for block in blocks if block.strip()) + "\n"


def _cell(cell: Json, language: str) -> list[str]:
    source = text_of(cell["source"])
    if cell["cell_type"] == "markdown":
        return [_with_attachments(source, cell)]
    if cell["cell_type"] == "raw":
        return [fenced(source)]
    note = note_of_cell(cell)
    outputs = [_output(output) for output in cell["outputs"]]
    return [fenced(source, language), *outputs, f"*{note}*" if note else ""]


def _with_attachments(source: str, cell: Json) -> str:
    for name, bundle in (cell.get("attachments") or {}).items():
        for kind, content in bundle.items():
            picture = f"data:{kind};base64,{''.join(text_of(content).split())}"
            source = source.replace(f"attachment:{name}", picture)
    return source


def _output(output: Json) -> str:
    match output["output_type"]:
        case "stream":
            return fenced(plain_output(text_of(output["text"])).rstrip("\n"), "text")
        case "error":
            return fenced(plain_output("\n".join(output["traceback"])), "text")
        case _:
            return _rich(output["data"])


def _rich(data: Json) -> str:
    for kind in PICTURES:
        if kind in data:
            return f"![figure](data:{kind};base64,{''.join(text_of(data[kind]).split())})"
    for kind in ("text/markdown", "text/latex"):
        if kind in data:
            return text_of(data[kind])
    if "application/json" in data:
        return fenced(pretty_json(data["application/json"]), "json")
    plain = plain_output(text_of(data.get("text/plain", "")))
    name = interactive_name(data)
    note = f"*{name}: shown where the notebook is opened*\n\n" if name else ""
    return note + (fenced(plain, "text") if plain.strip() else "")
