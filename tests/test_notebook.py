"""The conversation as a notebook that Jupyter accepts."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gpt_code_ui.notebook import notebook
from gpt_code_ui.protocol import Transcript

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def golden(name: str) -> Transcript:
    path = Path(__file__).parent / "golden" / f"{name}.json"
    return Transcript.model_validate(json.loads(path.read_text(encoding="utf-8"))["transcript"])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_log_makes_a_valid_notebook(path: Path) -> None:
    made = notebook(golden(path.stem))
    nbformat.validate(json.loads(json.dumps(made)))


def test_prompts_answers_and_code() -> None:
    made = notebook(golden("several_turns"))
    assert made["metadata"]["title"] == "比较四个直辖市"
    shape = [(one["cell_type"], one["source"]) for one in made["cells"]]
    assert shape == [
        ("markdown", "> 比较四个直辖市"),
        ("code", "open('gdp.csv').read()"),
        ("markdown", "编码是 GB18030。"),
        ("code", "open('gdp.csv', encoding='gb18030').read()"),
        ("markdown", "完成。"),
        ("markdown", "> And now?"),
        ("markdown", "Nothing."),
        ("markdown", "> Again"),
    ]
    failed, worked = made["cells"][1], made["cells"][3]
    assert failed["metadata"] == {
        "gpt_code_ui": {"origin": "model", "status": "error"},
        "tags": ["raises-exception"],
    }
    assert worked == {
        "id": "x2",
        "cell_type": "code",
        "metadata": {"gpt_code_ui": {"origin": "model", "status": "ok"}},
        "execution_count": 2,
        "source": "open('gdp.csv', encoding='gb18030').read()",
        "outputs": [
            {
                "output_type": "display_data",
                "data": {
                    "image/png": "iVBORw0KGgo=",
                    "text/plain": "<Figure size 640x480 with 1 Axes>",
                },
                "metadata": {"image/png": {"width": 640}},
            }
        ],
    }


def test_a_prompt_of_several_lines_with_files() -> None:
    transcript = golden("code_deltas_to_cell")
    turn = transcript.turns[0].model_copy(update={"prompt": "One\n\n# two"})
    made = notebook(transcript.model_copy(update={"turns": [turn]}))
    assert made["cells"][0] == {
        "id": "prompt-0-t1",
        "cell_type": "markdown",
        "metadata": {"gpt_code_ui": {"role": "prompt"}},
        "source": "> One\n>\n> # two\n>\n> *data/销售.csv*",
    }


def test_code_that_never_ran_is_kept_without_a_tag() -> None:
    code = notebook(golden("stopped"))["cells"][-1]
    assert code["metadata"] == {"gpt_code_ui": {"origin": "model", "status": "not_run"}}
    assert (code["source"], code["outputs"], code["execution_count"]) == ("import ti", [], None)


def test_cells_of_the_person_are_part_of_it() -> None:
    sources = [one["source"] for one in notebook(golden("person_cells"))["cells"]]
    assert sources == [
        "x = 1", "x", "> Go", "pass", "also after x1", "after x1", "ok", "more",
        "while it runs", "at the end", "after y5", "unknown anchor",
    ]  # fmt: skip


def test_outputs_and_ids_that_the_format_would_refuse() -> None:
    """Code can display anything; ids come from wherever a model or a client took them."""
    transcript = golden("person_cells")
    bundle: dict[str, Any] = {
        "text/plain": 5,
        "text/html": ["<b>", "x</b>"],
        "application/json": {"a": 1},
        "application/vnd.plotly.v1+json": {"data": []},
        "odd": {"not": "text"},
    }
    output = {"output_type": "execute_result", "data": bundle, "metadata": {}}
    value = {
        "code": "", "origin": "person", "status": "ok", "execution_count": 7,
        "outputs": [{"output": output}],
    }  # fmt: skip
    parts = [
        {"type": "cell", "cell_id": id, **value} for id in ("a b", "好", "x" * 65, "same", "same")
    ]
    turn = transcript.turns[0].model_validate({"prompt": "", "status": "completed", "parts": parts})
    made = notebook(transcript.model_copy(update={"turns": [turn]}))
    nbformat.validate(made)
    assert made["cells"][0]["outputs"][0] == {
        "output_type": "execute_result",
        "data": {**bundle, "text/plain": "5", "odd": '{"not": "text"}'},
        "metadata": {},
        "execution_count": 7,
    }
    assert made == notebook(transcript.model_copy(update={"turns": [turn]}))
