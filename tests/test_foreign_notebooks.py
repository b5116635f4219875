"""Notebooks that nobody here wrote: in, out, in and out again, and into every other format.

They come from the source packages of nbformat, nbconvert, nbclient and Jupytext; ``make
notebooks`` fetches them.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.imported import stored_events
from gpt_code_ui.notebook import FORMATS, Imported, notebook, read_notebook, render
from gpt_code_ui.protocol import ConversationChanged, ConversationSummary, Published, Transcript
from gpt_code_ui.transcript import fold
from scripts.setup_notebooks import NOTEBOOKS, READY

Json = dict[str, Any]
FETCHED = (NOTEBOOKS / READY).exists()
FOREIGN = sorted(NOTEBOOKS.rglob("*.ipynb")) if FETCHED else []
# These are wrong on purpose, and nbformat cannot read them either.
BROKEN = {"test3_no_metadata.ipynb", "test3_no_worksheets.ipynb",
          "test3_worksheet_with_no_cells.ipynb"}  # fmt: skip
# These hold what the format forbids, or text of stdin, which is none here: taken, and mended.
MENDED = {
    "invalid.ipynb", "test4plus.ipynb", "v4_5_invalid_metadata.ipynb", "notebook3.ipynb",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FETCHED, reason="run 'make notebooks': they are not fetched")


def transcript_of(found: Imported) -> Transcript:
    """The conversation a notebook becomes."""
    summary = ConversationSummary(id="c", title=found.title, created_at="", updated_at="")
    rows = stored_events("c", found, "python")
    rows.append(("c", "2026-01-01T00:00:00Z", ConversationChanged(
        title=found.title, model=found.model, rules=found.rules, kept=found.kept)))  # fmt: skip
    return fold(
        summary,
        [
            Published(seq=seq, conversation_id=id, at=at, event=event)
            for seq, (id, at, event) in enumerate(rows, 1)
        ],
    )


def as_read(path: Path) -> Json:
    """What nbformat itself makes of the file, in its newest version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        upgraded = nbformat.read(path, as_version=4)
    plain: Json = json.loads(json.dumps(upgraded))
    return plain


def bare(made: Json) -> list[Json]:
    """Cells without what we add: our metadata, and the tag that lets a failed cell pass."""
    cells = []
    for cell in made["cells"]:
        metadata = {k: v for k, v in cell["metadata"].items() if k != "gptcode"}
        tags = [tag for tag in metadata.pop("tags", []) if tag != "raises-exception"]
        kept = ("cell_type", "source", "execution_count", "attachments")
        one = {name: cell[name] for name in kept if cell.get(name)}
        one |= {"metadata": metadata, "tags": tags}
        if outputs := [sorted_output(output) for output in cell.get("outputs", ())]:
            one["outputs"] = outputs
        cells.append(one)
    return cells


def sorted_output(output: Json) -> Json:
    """An output with what the format has; streams of one name that follow each other are one."""
    return {
        name: value
        for name, value in output.items()
        if name not in ("metadata", "transient") or value
    }


def merged(cells: list[Json]) -> list[Json]:
    """Consecutive streams of one name as one, as everything here shows them."""
    for cell in cells:
        outputs: list[Json] = []
        for output in cell.get("outputs", ()):
            last = outputs[-1] if outputs else None
            is_more = output["output_type"] == "stream" and last is not None
            if is_more and last is not None and last.get("name") == output["name"]:
                last["text"] += output["text"]
            elif output.get("text") != "" or output["output_type"] != "stream":
                outputs.append(dict(output))
        if outputs:
            cell["outputs"] = outputs
        else:
            cell.pop("outputs", None)
    return cells


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.stem)
def test_in_and_out_again(path: Path) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    if path.name in BROKEN:
        with pytest.raises(InvalidValue, match="no notebook"):
            read_notebook(value, path.name)
        return
    first = notebook(transcript_of(read_notebook(value, path.name)))
    nbformat.validate(first)
    if path.name not in MENDED:
        assert merged(bare(first)) == merged(bare(as_read(path)))
    again = json.loads(json.dumps(first))
    assert notebook(transcript_of(read_notebook(again, path.name))) == first


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.stem)
def test_every_format_of_it(path: Path) -> None:
    if path.name in BROKEN:
        pytest.skip("no notebook")
    value = json.loads(path.read_text(encoding="utf-8"))
    made = notebook(transcript_of(read_notebook(value, path.name)))
    page = render(made, "html", "T").text.lower()
    for what in ("<script", "<iframe", "<object", "<link", "<svg", "javascript:", " onerror="):
        assert what not in page
    for kind in FORMATS:
        render(made, kind, "T").text.encode()
