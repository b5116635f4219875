"""The conversation as a notebook that Jupyter accepts."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.imported import GONE, stored_events
from gpt_code_ui.notebook import notebook, read_notebook, render
from gpt_code_ui.protocol import ConversationSummary, KernelStatus, Published, Transcript
from gpt_code_ui.transcript import fold

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
    assert made["metadata"]["kernelspec"]["name"] == "python3"
    ours = made["metadata"]["gptcode"]
    assert (ours["format"], ours["conversation"], ours["model"]) == (1, "c", ours["model"])
    assert [turn["turn_id"] for turn in ours["turns"]] == ["t1", "t2", "t3"]
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
    assert failed["metadata"]["tags"] == ["raises-exception"]
    assert failed["metadata"]["gptcode"]["status"] == "error"
    assert "tags" not in worked["metadata"]
    ours = worked.pop("metadata")["gptcode"]
    assert (ours["turn"], ours["origin"], ours["status"]) == ("t1", "model", "ok")
    assert worked == {
        "id": "x2",
        "cell_type": "code",
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
        "metadata": {"gptcode": {"role": "prompt", "turn": "t1"}},
        "source": "> One\n>\n> # two\n\n*Files: `data/销售.csv`*",
    }


def test_code_that_never_ran_is_kept_without_a_tag() -> None:
    code = notebook(golden("stopped"))["cells"][-1]
    assert "tags" not in code["metadata"]
    assert code["metadata"]["gptcode"]["status"] == "not_run"
    assert code["metadata"]["gptcode"]["reason"] == "Stopped."
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


# --- in again


def again(made: dict[str, Any], name: str = "x.ipynb", language: str = "python") -> Transcript:
    """The conversation that a notebook becomes."""
    found = read_notebook(json.loads(json.dumps(made)), name)
    summary = ConversationSummary(
        id="c", title=found.title, model=found.model, created_at="", updated_at=""
    )
    rows = stored_events("c", found, language)
    return fold(
        summary,
        [
            Published(seq=seq, conversation_id=id, at=at, event=event)
            for seq, (id, at, event) in enumerate(rows, 1)
        ],
    ).model_copy(update={"kept": found.kept, "rules": found.rules})


def finished(transcript: Transcript) -> bool:
    statuses = [turn.status for turn in transcript.turns]
    statuses += [getattr(part, "status", "") for turn in transcript.turns for part in turn.parts]  # type: ignore[misc]
    return "running" not in statuses and "writing" not in statuses


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_ours_comes_back_as_it_went(path: Path) -> None:
    before = golden(path.stem)
    first = notebook(before)
    second = notebook(again(first))
    first["metadata"]["gptcode"].pop("replay", None)  # what was proved elsewhere is not proved here
    if finished(before):
        assert second == first
    assert notebook(again(second)) == second


def test_what_comes_back_looks_the_same() -> None:
    before = golden("several_turns")
    after = again(notebook(before))
    for one, two in zip(before.turns, after.turns, strict=True):
        assert (one.turn_id, one.prompt, one.model) == (two.turn_id, two.prompt, two.model)
        kept = [part for part in one.parts if part.type != "reasoning"]
        assert kept == two.parts


@pytest.mark.parametrize(
    "prompt",
    ["", "plain", "> quoted", "a\n\nb\n", " led by a space\n>>x", "tail ", "\r\n", "\u2028x"],
)
def test_a_prompt_is_read_back_to_the_letter(prompt: str) -> None:
    before = golden("code_deltas_to_cell")
    turn = before.turns[0].model_copy(update={"prompt": prompt})
    after = again(notebook(before.model_copy(update={"turns": [turn]})))
    assert after.turns[0].prompt == prompt
    assert after.turns[0].attachments == turn.attachments


def test_what_was_edited_elsewhere_is_taken_as_it_stands_there() -> None:
    made = notebook(golden("several_turns"))
    made["cells"][1]["source"] = "edited()"
    made["cells"][0]["source"] = "> another question"
    new: dict[str, Any] = {"cell_type": "code", "metadata": {"tags": ["mine"]}, "source": "new()"}
    made["cells"].insert(2, new | {"id": "n", "outputs": [], "execution_count": None})
    text = {"cell_type": "markdown", "metadata": {}, "source": "a note", "id": "m"}
    made["cells"].append(text)
    after = again(made)
    assert after.turns[0].prompt == "another question"
    first, second = after.turns[0].parts[:2]
    assert first.type == second.type == "cell"
    assert (first.code, second.code, second.origin) == ("edited()", "new()", "person")
    assert second.kept == {"metadata": {"tags": ["mine"]}}
    last = after.turns[-1].parts[-1]
    assert last.type == "text" and last.text == "a note"
    nbformat.validate(notebook(after))


def foreign(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": list(cells)}


def test_a_notebook_of_others() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["1\n", "2\n"]}
    value = foreign(
        {"cell_type": "markdown", "metadata": {}, "source": ["# A\n", "b"]},
        {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [output],
         "execution_count": 12},
        {"cell_type": "code", "metadata": {}, "source": "2", "outputs": [],
         "execution_count": None},
        kernelspec={"name": "ir", "display_name": "R", "language": "R"},
    )  # fmt: skip
    after = again(value, "iris.ipynb", "python")
    assert (after.title, len(after.turns)) == ("iris", 1)
    turn = after.turns[0]
    assert (turn.imported, turn.prompt, turn.status) == ("iris.ipynb", "", "completed")
    text, ran, not_run = turn.parts
    assert text.type == "text" and text.text == "# A\nb"
    assert ran.type == not_run.type == "cell"
    assert (ran.status, ran.execution_count, ran.origin) == ("ok", 12, "person")
    assert not_run.status == "not_run"
    assert after.kernel.state == "parked"
    assert after.kernel.reason == f"{GONE} It was written in r; code here runs in python."
    out = notebook(after)
    assert out["metadata"]["kernelspec"]["name"] == "ir"
    assert [cell["source"] for cell in out["cells"]] == ["# A\nb", "1", "2"]


@pytest.mark.parametrize("left_out", [True, False])
def test_empty_fields_that_a_tool_left_out_or_wrote_as_null(left_out: bool) -> None:
    empty = dict.fromkeys(("metadata", "outputs", "execution_count"))
    rest = {} if left_out else empty
    value: dict[str, Any] = {
        "nbformat": 4, "nbformat_minor": 2, **({} if left_out else {"metadata": None}),
        "cells": [{"cell_type": "code", "source": ["a\n", "b"], **rest},
                  {"cell_type": "code", **({} if left_out else {"source": None})},
                  {"cell_type": "markdown", "source": "c"}],
    }  # fmt: skip
    made = notebook(again(value, "bare.ipynb", "python"))
    nbformat.validate(made)
    assert [(cell["cell_type"], cell["source"]) for cell in made["cells"]] == [
        ("code", "a\nb"), ("code", ""), ("markdown", "c")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value", [{}, [], {"nbformat": "4"}, {"nbformat": 99}, {"nbformat": 4},
              {"nbformat": 4, "cells": 1}, {"nbformat": 4, "cells": ["x"], "metadata": {}},
              {"nbformat": 3, "worksheets": 7},
              foreign({"cell_type": "code", "metadata": {}, "source": "", "outputs": [3]})],
)  # fmt: skip
def test_what_is_no_notebook(value: object) -> None:
    with pytest.raises(InvalidValue):
        read_notebook(value, "x.ipynb")


def test_the_kernel_is_told_of_last_and_times_increase() -> None:
    found = read_notebook(json.loads(json.dumps(notebook(golden("several_turns")))), "x.ipynb")
    rows = stored_events("c", found, "python")
    assert isinstance(rows[-1][2], KernelStatus)
    assert [at for _, at, _ in rows] == sorted(at for _, at, _ in rows)


# --- other formats


def rich(*bundles: dict[str, Any]) -> dict[str, Any]:
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}} for data in bundles]
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "show()", "outputs": outputs}
    return foreign({**cell, "execution_count": 1})


ATTACKS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
    '<a href="javascript:alert(1)">x</a>', "<iframe src=//evil.example></iframe>",
    '<img src="http://evil.example/x.png">', "<style>@import url(//evil.example)</style>",
    '<form action="//evil.example"><input name=a></form>', '<base href="//evil.example">',
    '<a href="data:text/html,<script>1</script>">x</a>', '<div style="background:url(//evil)">y',
    '<link rel=stylesheet href="//evil.example">', "<math><mi xlink:href=javascript:1>",
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_hostile_gets_into_the_page(attack: str) -> None:
    text = {"cell_type": "markdown", "metadata": {}, "source": f"x {attack}\n\n{attack}"}
    value = rich({"text/html": f"{attack}<table><tr><td>kept</td></tr></table>"})
    value["cells"].append({**text, "id": "b"})
    value["metadata"] = {"title": attack}
    page = render(value, "html", attack).text
    head, _, body = page.partition("</head>")
    assert "default-src 'none'" in head and "<script" not in page.lower()
    tags = set(re.findall(r"<([a-z][a-z0-9]*)", body.lower()))
    assert tags <= ALLOWED, tags - ALLOWED
    for tag in re.findall(r"<[a-z][^>]*>", body.lower()):
        assert not re.search(r"\son\w+=|style=|javascript:|src=\"(?!data:image/)", tag), tag
        assert 'href="data:' not in tag
    # What stands inside a formula that is not let through goes with it.
    assert "kept" in body or "<math" in attack


ALLOWED = {
    "body", "main", "header", "h1", "p", "section", "span", "pre", "div", "table", "tbody", "tr",
    "td", "a", "img", "code",
}  # fmt: skip


def test_the_page_shows_each_kind_of_output() -> None:
    value = rich(
        {"image/png": "iVBORw0KGgo=\n", "text/plain": "<Figure>"},
        {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"},
        {"application/vnd.plotly.v1+json": {"data": []}, "text/plain": "Figure()"},
        {"text/html": "<div><script>x</script></div>", "text/plain": "<bokeh>"},
        {"text/latex": "$x$"}, {"application/json": {"a": 1}, "text/plain": "<JSON>"},
        {"text/markdown": "**b**"},
    )  # fmt: skip
    error = {"output_type": "error", "ename": "E", "evalue": "v",
             "traceback": ["\x1b[31mred\x1b[0m <b>", "\x1b[1;32mgreen\x1b[0m"]}  # fmt: skip
    progress = {"output_type": "stream", "name": "stdout", "text": "10%\r50%\r100%\ndone\n"}
    value["cells"][0]["outputs"] += [error, progress]
    page = render(value, "html", "T").text
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page
    assert "data:image/svg+xml;base64," in page
    assert "Plotly chart: it needs a script" in page and "Figure()" in page
    assert "HTML with scripts" in page and "&lt;bokeh&gt;" in page
    assert "$x$" in page and "&quot;a&quot;: 1" in page and "<strong>b</strong>" in page
    assert '<span class="c-red">red</span> &lt;b&gt;' in page
    assert '<span class="b c-green">green</span>' in page
    assert ">100%\ndone</pre>" in page


def test_the_script_runs_as_plain_python() -> None:
    codes = ["%matplotlib inline\nx = 1", "!ls", "%%bash\necho hi", "%%time\ny = x + 1",
             "x?", "files = !ls\nz = 3",
             "s = '''\n%not magic\n'''", "# %% not a cell\nw = 4"]  # fmt: skip
    cells = [
        {"cell_type": "code", "id": f"c{at}", "metadata": {}, "source": code, "outputs": [],
         "execution_count": None}
        for at, code in enumerate(codes)
    ]  # fmt: skip
    cells.insert(0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# T\n\ntext"})
    made = render(foreign(*cells), "py", "T")
    names: dict[str, Any] = {}
    exec(compile(made.text, "x.py", "exec"), names)
    assert (names["x"], names["y"], names["z"], names["w"]) == (1, 2, 3, 4)
    assert names["s"] == "\n%not magic\n"
    assert made.text.count("\n# %%") == 9
    assert made.ending == ".py"


def test_a_script_of_another_language() -> None:
    value = foreign(
        {"cell_type": "code", "id": "a", "metadata": {}, "source": "console.log(1)",
         "outputs": [], "execution_count": None},
        {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "text"},
        language_info={"name": "typescript"},
    )  # fmt: skip
    made = render(value, "py", "T")
    assert made.ending == ".ts"
    assert "\n// %%\nconsole.log(1)" in made.text and "\n// %% [markdown]\n// text" in made.text


def test_markdown_keeps_fences_whole() -> None:
    value = rich({"image/png": "iVBORw0KGgo="})
    value["cells"][0]["source"] = "print('```')"
    text = render(value, "md", "Title").text
    assert text.startswith("# Title\n\n````python\nprint('```')\n````\n")
    assert "![figure](data:image/png;base64,iVBORw0KGgo=)" in text
