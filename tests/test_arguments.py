"""Arguments as models write them: what is clear is understood, the rest is refused."""

import time

import pytest

from gpt_code_ui.answer import code_of
from gpt_code_ui.arguments import Refused, Understood

ASKED_FOR = [
    ('{"code": "print(1)"}', "print(1)"),
    (' {"code": "a\\nb", "note": "extra"} ', "a\nb"),
    ('{"code": "\\ud83d\\ude00 \\ud83d"}', "😀 \ufffd"),
]
REPAIRED = {
    "raw newlines": ('{"code": "for i in x:\n\tprint(i)"}', "for i in x:\n\tprint(i)"),
    "a stray escape": ('{"code": "re.sub(\'\\d\', s)"}', "re.sub('\\d', s)"),
    "no brace": ('{"code": "print(1)"', "print(1)"),
    "no quote and no brace": ('{"code": "print(1)', "print(1)"),
    "no bracket": ('{"code": ["a", "b"', "a\nb"),
    "bare quotes": ('{"code": "print("hi")"}', 'print("hi")'),
    "bare code": ("import os\nprint(os.getcwd())", "import os\nprint(os.getcwd())"),
    "magic": ("%pip install x\n!ls", "%pip install x\n!ls"),
    "no magic": ('x = ("%d"\n  % 1)', 'x = ("%d"\n  % 1)'),
    "a fence": ("```python\nx = 1\n```", "x = 1"),
    "a fenced object": ('```json\n{"code": "x = 1"}\n```', "x = 1"),
    "a tag": ('<tool_call>{"code": "x = 1"}</tool_call>', "x = 1"),
    "another key": ('{"python": "x = 1"}', "x = 1"),
    "input": ('{"input": "x = 1"}', "x = 1"),
    "lines": ('{"code": ["if x:\\n", "    y()"]}', "if x:\n    y()"),
    "JSON in a string": ('"{\\"code\\": \\"x = 1\\"}"', "x = 1"),
    "code in a string": ('"x = 1"', "x = 1"),
    "a list of one": ('[{"code": "x = 1"}]', "x = 1"),
    "the whole call": ('{"name": "execute_code", "arguments": {"code": "x = 1"}}', "x = 1"),
    "a Python dict": ("{'code': 'x = \"1\"'}", 'x = "1"'),
    "triple quotes": ('{"code": """a\nb"""}', "a\nb"),
    "two objects": ('{"code": "a = 1"}{"code": "b = 2"}', "a = 1\nb = 2"),
    "the same twice": ('{"code": "a = 1"}\n{"code": "a = 1"}', "a = 1"),
    "text behind": ('{"code": "x = 1"}</tool_call> Done.', "x = 1"),
}
NOT_CLEAR = {
    "nothing": "",
    "space": "  ",
    "an empty object": "{}",
    "no code": '{"code": null}',
    "blank code": '{"code": " "}',
    "a number": "5",
    "a word": "oops",
    "prose": "I will run this now",
    "half a statement": '{"code": "print(1',
    "half an escape": '{"code": "print(1)\\',
    "two keys": '{"input": "a", "script": "b"}',
    "two in a list": '[{"code": "a"}, {"code": "b"}]',
    "a whole and a half": '{"code": "a = 1"}{"code": "b = ',
    "an unknown key": '{"sql": "select 1"}',
    "what we made of it before": '{"malformed": "{"}',
    "deep": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "a null byte": "print(1)\0",
}


@pytest.mark.parametrize(("arguments", "code"), ASKED_FOR)
def test_what_was_asked_for_is_no_repair(arguments: str, code: str) -> None:
    assert code_of("execute_code", arguments) == Understood(code)


@pytest.mark.parametrize("kind", REPAIRED)
def test_what_is_clear_is_understood_and_marked(kind: str) -> None:
    arguments, code = REPAIRED[kind]
    assert code_of("execute_code", arguments) == Understood(code, repaired=True)


@pytest.mark.parametrize("kind", NOT_CLEAR)
def test_what_is_not_clear_is_refused_with_an_example(kind: str) -> None:
    refused = code_of("execute_code", NOT_CLEAR[kind])
    assert isinstance(refused, Refused)
    assert '{"code": "print(1)"}' in refused.reason


@pytest.mark.parametrize("shape", ["<a>{}x", "```\n{}x", "{}x(", '{{"code": "{}x', '{{"a" {}x'])
def test_much_space_takes_no_time(shape: str) -> None:
    begun = time.monotonic()
    code_of("execute_code", shape.format(" \n" * 100_000))
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "name", ["python", "execute", "run_code", "code_interpreter", "functions.execute_code", ""]
)
def test_another_name_for_the_same_tool_is_understood(name: str) -> None:
    assert code_of(name, '{"code": "1"}') == Understood("1", repaired=True)
    assert code_of(name, "print(1)") == Understood("print(1)", repaired=True)


@pytest.mark.parametrize("name", ["web_search", "read_file", "execute_sql", "bash"])
def test_a_tool_that_does_something_else_is_refused(name: str) -> None:
    refused = code_of(name, '{"code": "1"}')
    assert isinstance(refused, Refused)
    assert repr(name) in refused.reason
