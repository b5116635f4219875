"""A line for each turn that is left out."""

from gpt_code_ui.digest import ANSWER_LENGTH, digest
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    ToldFile,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from gpt_code_ui.told import with_files

CALL = ToolCall(id="1", name="execute_code", arguments="{}")
TURN: list[ChatMessage] = [
    UserMessage(text="\n  Load the data  \nand clean it"),
    AssistantMessage(text="I look.", tool_calls=[CALL]),
    ToolMessage(tool_call_id="1", text="5\n[files added: a.png, b.csv; removed: c]"),
    AssistantMessage(text="", tool_calls=[CALL]),
    ToolMessage(tool_call_id="1", text="[files changed: b.csv]\n[files added: d]"),
    AssistantMessage(text='I looked.\n```\nprint()\n```\nThere are 4.5 rows. All is "clean"!'),
]
LINE = (
    '- asked: "Load the data"; answered: "I looked. There are 4.5 rows. '
    'All is \\"clean\\"!"; files: a.png, b.csv, d'
)


def test_a_turn_is_a_line() -> None:
    assert digest(TURN, 4000) == LINE


def test_blocks_of_code_are_left_out() -> None:
    text = "Done.\n\n```python\nx = 1. # no\n```\n\nIt is 4。这是结果。"
    line = digest([UserMessage(text="q"), AssistantMessage(text=text)], 4000)
    assert line == '- asked: "q"; answered: "Done. It is 4。 这是结果。"'


def test_the_end_of_a_long_answer() -> None:
    line = digest([UserMessage(text="q"), AssistantMessage(text="a b " * 500)], 4000)
    assert line.count("…") == 1 and len(line) < ANSWER_LENGTH + 40


def test_the_newest_lines_stay() -> None:
    messages = [UserMessage(text=f"question {at}") for at in range(100)]
    lines = digest(messages, 60).splitlines()
    assert lines == ['- asked: "question 98"', '- asked: "question 99"']
    assert digest(messages, 10) == ""


def test_what_was_told_of_files_is_no_question() -> None:
    asked = with_files("What is it?", [], [ToldFile(path="a", size=1, modified=0, text="csv\nx")])
    assert digest([UserMessage(text=asked)], 4000) == '- asked: "What is it?"'


def test_rounds_without_a_question_are_no_turn() -> None:
    assert digest(TURN[1:], 4000) == ""
