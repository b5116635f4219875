"""Calls in the text of an answer, in the forms of many templates, wherever the text is cut."""

import json
from collections.abc import Iterable

import pytest

from gpt_code_ui.printed_calls import PrintedCalls
from gpt_code_ui.protocol import FinishChunk, ModelChunk, TextChunk, ToolCallChunk
from gpt_code_ui.tool_names import meant

STOP = FinishChunk(reason="stop")
CALLS = FinishChunk(reason="tool_calls")
OFFERED = ("execute_code", "read_output")
CODE = "for i in range(2):\n    print(i)"
ARGUMENTS = json.dumps({"code": CODE})
CALL = json.dumps({"name": "execute_code", "arguments": {"code": CODE}})


def split(pieces: Iterable[str], finish: FinishChunk | None = STOP) -> list[ModelChunk]:
    printed = PrintedCalls(lambda name: bool(name) and meant(name, OFFERED) is not None)
    chunks = [one for piece in pieces for one in printed.take([TextChunk(text=piece)])]
    return chunks + (printed.take([finish]) if finish else printed.rest())


def read(chunks: Iterable[ModelChunk]) -> tuple[str, list[tuple[str | None, object]]]:
    """The text, and the calls with their arguments."""
    chunks = list(chunks)
    calls = [one for one in chunks if isinstance(one, ToolCallChunk)]
    assert all(call.printed for call in calls)
    text = "".join(one.text for one in chunks if isinstance(one, TextChunk))
    return text, [(call.name, json.loads(call.arguments)) for call in calls]


FORMS = {
    "hermes": f"<tool_call>\n{CALL}\n</tool_call>",
    "hermes, the end tag is a stop word": f"<tool_call>\n{CALL}\n",
    "hermes, raw newlines": f'<tool_call>{{"name": "execute_code", "arguments": {{"code": "{CODE}"'
    "}}</tool_call>",
    "qwen coder": "<tool_call>\n<function=execute_code>\n<parameter=code>\n"
    f"{CODE}\n</parameter>\n</function>\n</tool_call>",
    "glm": f"<tool_call>execute_code\n<arg_key>code</arg_key>\n<arg_value>{CODE}</arg_value>\n"
    "</tool_call>",
    "llama, a function tag": f"<function=execute_code>{ARGUMENTS}</function>",
    "llama, an object after its tag": "<|python_tag|>"
    + json.dumps({"type": "function", "name": "execute_code", "parameters": {"code": CODE}}),
    "mistral, a list": f"[TOOL_CALLS] [{CALL}]",
    "mistral, a name": f"[TOOL_CALLS]execute_code{ARGUMENTS}",
    "mistral, a name and a mark": f"[TOOL_CALLS]execute_code[ARGS]{ARGUMENTS}",
    "deepseek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>execute_code\n"
    f"```json\n{ARGUMENTS}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "deepseek 3.1": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>execute_code<｜tool▁sep｜>"
    f"{ARGUMENTS}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "deepseek 3.2": '<｜DSML｜function_calls>\n<｜DSML｜invoke name="execute_code">\n'
    f'<｜DSML｜parameter name="code" string="true">{CODE}</｜DSML｜parameter>\n'
    "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
    "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.execute_code:0"
    f"<|tool_call_argument_begin|>{ARGUMENTS}<|tool_call_end|><|tool_calls_section_end|>",
    "minimax": '<minimax:tool_call>\n<invoke name="execute_code">\n'
    f'<parameter name="code">{CODE}</parameter>\n</invoke>\n</minimax:tool_call>',
    "harmony": "<|channel|>commentary to=functions.execute_code <|constrain|>json<|message|>"
    f"{ARGUMENTS}<|call|>",
    "an object alone": CALL,
    "an object in a fence": f"```json\n{CALL}\n```\n",
    "a list alone": f"[{CALL}]",
    "openai's own shape": json.dumps(
        {"type": "function", "function": {"name": "execute_code", "arguments": ARGUMENTS}}
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_printed_call_is_found_wherever_it_is_cut(name: str) -> None:
    text = FORMS[name]
    cuts = [[text], list(text), *([text[:at], text[at:]] for at in range(0, len(text), 3))]
    for pieces in cuts:
        chunks = split(pieces)
        assert read(chunks) == ("", [("execute_code", {"code": CODE})])
        assert chunks[-1] == CALLS


@pytest.mark.parametrize("name", [one for one in FORMS if "alone" not in one and "own" not in one])
def test_text_before_it_comes_at_once(name: str) -> None:
    if name == "an object in a fence":
        return
    chunks = split(["I will ", "look.\n", FORMS[name]])
    assert read(chunks) == ("I will look.\n", [("execute_code", {"code": CODE})])


@pytest.mark.parametrize("name", FORMS)
def test_after_a_cut_it_is_text(name: str) -> None:
    for finish in (None, FinishChunk(reason="length"), FinishChunk(reason="content_filter")):
        assert read(split([FORMS[name]], finish)) == (FORMS[name], [])


def test_bare_code_after_llamas_tag() -> None:
    assert read(split([f"<|python_tag|>{CODE}<|eom_id|>"])) == ("", [("python", {"code": CODE})])


def test_several_calls() -> None:
    other = json.dumps({"name": "read_output", "arguments": {"cell": 1}})
    both = [("execute_code", {"code": CODE}), ("read_output", {"cell": 1})]
    tagged = f"<tool_call>{CALL}</tool_call>\n<tool_call>{other}</tool_call>"
    assert read(split([tagged])) == ("", both)
    assert read(split([f"[TOOL_CALLS][{CALL}, {other}]"])) == ("", both)
    assert read(split([f"<tools>\n{tagged}"])) == ("<tools>\n", both)


TEXTS = [
    "plain",
    "a < b and [TOOL",
    '{"name": "Ada", "age": 36}',
    '{"code": "print(1)"}',
    '[{"name": "get_weather", "arguments": {}}]',
    '{"name": "execute_code"}',
    f"{CALL} is how it looks",
    "<tool_call>not one</tool_call>",
    '<tool_call>{"name": "execute_code", "arguments": {"code": "pri',
    f"```xml\n<tool_call>{CALL}</tool_call>\n```\n",
    "```python\nprint(1)\n```\n",
    "Write `<tool_call>` to call.",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_call_stays_text(text: str) -> None:
    for pieces in ([text], list(text)):
        chunks = split(pieces)
        assert read(chunks) == (text, [])
        assert chunks[-1] == STOP


def test_text_is_not_held_back_without_need() -> None:
    printed = PrintedCalls(lambda _: True)
    assert read(printed.take([TextChunk(text="Hi there")])) == ("Hi there", [])
    assert read(printed.take([TextChunk(text=" a <")])) == (" a ", [])
    assert read(printed.take([TextChunk(text=" b")])) == ("< b", [])


def test_with_real_calls_the_text_is_text() -> None:
    printed = PrintedCalls(lambda _: True)
    chunks = printed.take([TextChunk(text=FORMS["hermes"]), ToolCallChunk(index=0, name="x")])
    chunks += printed.take([CALLS])
    assert TextChunk(text=FORMS["hermes"]) in chunks and chunks[-1] == CALLS
