"""What every export asks of a notebook: the text of its cells, its language, its notes."""

import json
import re
from typing import Any

Json = dict[str, Any]
# Colours, cursor movements and titles: CSI, OSC and two-character escapes.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
INTERACTIVE = {
    "application/vnd.plotly.v1+json": "Plotly chart",
    "application/vnd.vega.": "Vega chart",
    "application/vnd.vegalite.": "Vega-Lite chart",
    "application/vnd.bokehjs_": "Bokeh chart",
    "application/vnd.jupyter.widget-view+json": "widget",
}
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def text_of(value: object) -> str:
    """A text that may stand as a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def language_of(notebook: Json) -> str:
    """The language of the code cells, in lower case."""
    metadata = notebook["metadata"]
    info = metadata.get("language_info") or {}
    spec = metadata.get("kernelspec") or {}
    return str(info.get("name") or spec.get("language") or "python").lower()


def ours_of(cell: Json) -> Json:
    """What this product noted of a cell."""
    ours = cell.get("metadata", {}).get("gptcode")
    return ours if isinstance(ours, dict) else {}


def plain_output(text: str) -> str:
    """Printed text without escapes; a line that was written over shows its last state."""
    return ESCAPES.sub("", overwritten(text))


def overwritten(text: str) -> str:
    """Text in which each line is what was written over it last."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def interactive_name(data: Json) -> str | None:
    """What a bundle is that only a script could draw."""
    for kind in data:
        for start, name in INTERACTIVE.items():
            if kind.startswith(start):
                return name
    return None


def pretty_json(value: object) -> str:
    """JSON to be read."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def note_of_cell(cell: Json) -> str | None:
    """What is to be said about a cell that did not simply run."""
    ours = ours_of(cell)
    reason = f": {ours['reason']}" if ours.get("reason") else ""
    match ours.get("status"):
        case "not_run" if ours.get("reason"):
            return f"Not run{reason}"
        case "interrupted" | "timeout":
            return f"Interrupted{reason}"
        case "died":
            return f"The kernel died{reason}"
    if truncated := ours.get("truncated"):
        return (
            f"Shortened: {truncated['bytes_total']:,} bytes, "
            f"{truncated['lines_total']:,} lines were printed"
        )
    return None
