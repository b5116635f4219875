"""The tool that reads what a cell printed in all."""

import json
from pathlib import Path

import pytest

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.history import told_report
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import CellPart, ChatMessage, ToolMessage, UserMessage
from gpt_code_ui.read_output import ReadOutput


def cell(id: str, count: int | None = None) -> CellPart:
    return CellPart(cell_id=id, code="", origin="model", status="ok", execution_count=count)


def tool(folder: Path) -> ReadOutput:
    """Cells a (1), b (2) and c (1 once more, after a restart); a has no output."""

    def file_of(id: str) -> Path | None:
        path = folder / f"{id}.txt"
        return path if path.is_file() else None

    return ReadOutput(lambda: [cell("a", 1), cell("b", 2), cell("c", 1)], file_of)


def ask(folder: Path, **arguments: object) -> str:
    return tool(folder).run(json.dumps(arguments), Stop())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = "".join(f"line {n}\n" for n in range(1, 5001))
    (tmp_path / "b.txt").write_text(text)
    (tmp_path / "c.txt").write_text("\x1b[31mred\x1b[0m\n" + "x" * 200_000 + "Tail\nend 线")
    return tmp_path


def test_lines_by_number(folder: Path) -> None:
    assert ask(folder, cell=2, lines="7-9") == "7: line 7\n8: line 8\n9: line 9"
    assert ask(folder, cell="b", lines="4999-") == "4999: line 4999\n5000: line 5000"
    assert ask(folder, cell="2", lines="12") == "12: line 12"
    assert ask(folder, cell=2, lines="9000-") == "[no such lines]"


def test_the_answer_is_bounded_and_says_where_to_go_on(folder: Path) -> None:
    answer = ask(folder, cell=2)
    assert len(answer.encode()) <= 8192
    *lines, last = answer.split("\n")
    assert last == f'[more follows: go on with lines "{len(lines) + 1}-"]'
    assert len(lines) > 400


def test_text_is_looked_for_in_any_case(folder: Path) -> None:
    assert ask(folder, cell=2, pattern="LINE 499", lines="4991-4992") == (
        "4991: line 4991\n4992: line 4992"
    )
    assert ask(folder, cell=1, pattern="tail").startswith("2: xxx")
    assert ask(folder, cell=2, pattern="(a+)+$") == "[no such lines]"


def test_long_lines_and_colours(folder: Path) -> None:
    red, long, end = ask(folder, cell=1).split("\n")
    assert (red, end) == ("1: red", "3: end 线")
    assert len(long) < 600 and long.endswith("more characters]")


def test_what_cannot_be_read(folder: Path) -> None:
    assert ask(folder, cell="a") == "[this cell printed nothing]"
    for arguments in ('{"cell": 9}', "[]", "{", '{"cell": 2, "lines": "a-b"}', "{}"):
        with pytest.raises(InvalidValue):
            tool(folder).run(arguments, Stop())


def test_it_is_offered_where_something_was_shortened(folder: Path) -> None:
    long = CellPart.model_validate({
        "cell_id": "b", "code": "", "origin": "model", "status": "ok", "execution_count": 2,
        "outputs": [
            {"output": {"output_type": "stream", "name": "stdout", "text": "line\n" * 5000}}
        ],
    })  # fmt: skip
    told = told_report(long, output_bytes=2000)
    assert told.endswith("\n[shortened: read_output(cell=2) reads all of it]")
    history: list[ChatMessage] = [UserMessage(text="go")]
    assert not tool(folder).offered(history)
    assert tool(folder).offered([*history, ToolMessage(tool_call_id="x", text=told)])
