"""The way for models without tools: blocks out, blocks in, wherever the text is cut."""

import json
from collections.abc import Iterable

import pytest

from gpt_code_ui.answer import EXECUTE_CODE, Call, code_of
from gpt_code_ui.arguments import Refused, Understood
from gpt_code_ui.fence import CUT_OFF, FenceSplitter, fenced
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    Picture,
    ReasoningChunk,
    RetypeChunk,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
    ToolSpec,
    UserMessage,
)

STOP = FinishChunk(reason="stop")


def split(pieces: Iterable[str], finish: FinishChunk = STOP) -> list[ModelChunk]:
    splitter = FenceSplitter()
    chunks = [one for piece in pieces for one in splitter.take([TextChunk(text=piece)])]
    return chunks + splitter.take([finish])


def read(chunks: Iterable[ModelChunk]) -> tuple[str, str, str | None]:
    """The text, the code as it was shown while it came, the raw arguments."""
    text, shown, call = "", "", None
    for one in chunks:
        if isinstance(one, TextChunk):
            text += one.text
        elif isinstance(one, ToolCallChunk):
            call = call or Call("x")
            shown += call.take(one)
    return text, shown, call.arguments if call else None


def test_the_first_block_becomes_a_call() -> None:
    chunks = split(["I will look.\n```python\nprint('é😀')\nx = \"1\\n\"\n```\n"])
    text, shown, arguments = read(chunks)
    assert text == "I will look.\n"
    assert shown == "print('é😀')\nx = \"1\\n\""
    assert arguments is not None
    assert code_of("execute_code", arguments) == Understood(shown)
    assert chunks[-1] == FinishChunk(reason="tool_calls")


ANSWERS = [
    ("no code at all", "no code at all", None),
    ("a\n```py\nx\n```", "a\n", "x"),
    ("```Python\nx\n\n\ny\n```\n", "", "x\n\n\ny"),
    ("~~~python\na = '''\n```\n'''\n~~~\n", "", "a = '''\n```\n'''"),
    ("````python\n```\n````\n", "", "```"),
    ("1. so:\n   ```python\n   x\n   ```\n", "1. so:\n", "   x"),
    ("```python\r\nx\r\ny\r\n```\r\n", "", "x\ny"),
    ("```text\n```python\n```\n```python\nx\n```", "```text\n```python\n```\n", "x"),
    ("```json\n{}\n```\nthen\n```python\nx\n```", "```json\n{}\n```\nthen\n", "x"),
    ("```\nx\n```\n", "```\nx\n```\n", None),
    ("say `x` and ``y``\n`z`", "say `x` and ``y``\n`z`", None),
    ("``` is a fence", "``` is a fence", None),
]


@pytest.mark.parametrize(("answer", "text", "code"), ANSWERS)
def test_every_cut_gives_the_same(answer: str, text: str, code: str | None) -> None:
    for pieces in ([answer], list(answer), *([answer[:n], answer[n:]] for n in range(len(answer)))):
        seen_text, shown, arguments = read(split(pieces))
        assert (seen_text, shown) == (text, code or "")
        if code is None:
            assert arguments is None
        else:
            assert json.loads(arguments or "") == {"code": code}


def test_what_follows_the_block_is_dropped_and_counted() -> None:
    answer = "```python\nx\n```\nThe result is 5.\n```python\ny\n```"
    text, shown, arguments = read(split([answer]))
    assert (text, shown) == ("", "x")
    assert json.loads(arguments or "") == {"code": "x", "dropped": 29}


def test_code_comes_while_it_is_written() -> None:
    splitter = FenceSplitter()
    shown = [
        splitter.take([TextChunk(text=piece)]) for piece in ("```python\nab", "c", "\n``", "`")
    ]
    assert read(shown[0])[1] == "ab"
    assert [one.arguments for one in shown[1] if isinstance(one, ToolCallChunk)] == ["c"]
    assert shown[2] == shown[3] == []


def test_a_block_nobody_closed_is_read_like_an_object_nobody_closed() -> None:
    whole = read(split(["```python\nprint(1)"]))[2]
    assert code_of("execute_code", whole or "") == Understood("print(1)", repaired=True)
    half = read(split(["```python\nprint(1"]))[2]
    assert isinstance(code_of("execute_code", half or ""), Refused)


def test_an_answer_that_ended_too_early_says_so() -> None:
    assert split(["```python\nx\n```"], FinishChunk(reason="length"))[-1].type == "finish"
    assert split(["```python\nx"], FinishChunk(reason="length"))[-1] == FinishChunk(reason="length")


def test_other_chunks_pass() -> None:
    thought = ReasoningChunk(text="```python\n")
    assert FenceSplitter().take([thought]) == [thought]


def called(id: str, **arguments: object) -> ToolCall:
    return ToolCall(id=id, name="execute_code", arguments=json.dumps(arguments))


def test_a_history_of_calls_is_told_in_blocks_and_turns() -> None:
    request = ModelRequest(
        turn_id="t",
        model="m",
        system="Be good.\n",
        messages=[
            UserMessage(text="go"),
            AssistantMessage(text="Look.", tool_calls=[called("1", code="a", dropped=3)]),
            ToolMessage(tool_call_id="1", text="5"),
            AssistantMessage(text="", tool_calls=[called("2", code='"""\n```\n"""')]),
            ToolMessage(tool_call_id="2", text="6"),
            UserMessage(text="and now?"),
            AssistantMessage(text="", tool_calls=[ToolCall(id="3", name="x", arguments="{}")]),
        ],
        tools=[EXECUTE_CODE],
    )
    sent = fenced(request)
    assert sent.tools == []
    assert sent.system.startswith("Be good.\n\n# How you run code here")
    assert sent.messages == [
        UserMessage(text="go"),
        AssistantMessage(text="Look.\n\n```python\na\n```"),
        UserMessage(text=f"[What came of the code]\n5\n{CUT_OFF}"),
        AssistantMessage(text='````python\n"""\n```\n"""\n````'),
        UserMessage(text="[What came of the code]\n6\n\nand now?"),
        AssistantMessage(text="```text\nx({})\n```"),
    ]


# --- other tools


READ = ToolSpec(name="read_output", description="Read more.", parameters={"type": "object"})


@pytest.mark.parametrize("finish", [STOP, FinishChunk(reason="tool_calls")])
def test_a_block_with_the_name_of_a_tool_is_a_call(finish: FinishChunk) -> None:
    answer = 'More.\n```read_output\n{"cell": "3",\n "lines": "1-5"}\n```\nIt says 5.'
    for pieces in ([answer], list(answer)):
        splitter = FenceSplitter({"read_output"})
        chunks = [one for piece in pieces for one in splitter.take([TextChunk(text=piece)])]
        chunks += splitter.take([finish])
        calls = [one for one in chunks if isinstance(one, ToolCallChunk)]
        assert calls[0].name == "read_output"
        arguments = json.loads("".join(call.arguments for call in calls))
        assert arguments == {"cell": "3", "lines": "1-5"}
        assert read(one for one in chunks if isinstance(one, TextChunk))[0] == "More.\n"
        assert chunks[-1] == FinishChunk(reason="tool_calls")


def test_a_tool_that_is_not_offered_is_text() -> None:
    answer = "```read_output\n{}\n```\n"
    assert read(split([answer])) == (answer, "", None)


def test_the_tools_are_told_and_their_calls_are_blocks() -> None:
    call = ToolCall(id="1", name="read_output", arguments='{"cell": "3"}')
    request = ModelRequest(
        turn_id="t",
        model="m",
        system="S",
        messages=[
            UserMessage(text="go"),
            AssistantMessage(text="", tool_calls=[call]),
            ToolMessage(tool_call_id="1", text="1: a"),
        ],
        tools=[EXECUTE_CODE, READ],
    )
    sent = fenced(request)
    assert "```read_output\n{...}\n```\nRead more. The arguments fit" in sent.system
    assert sent.messages == [
        UserMessage(text="go"),
        AssistantMessage(text='```read_output\n{"cell": "3"}\n```'),
        UserMessage(text="[What came of read_output]\n1: a"),
    ]
    assert "Other tools" not in fenced(request.model_copy(update={"tools": [EXECUTE_CODE]})).system


def test_thinking_opens_no_block() -> None:
    splitter = FenceSplitter()
    chunks = splitter.take([
        TextChunk(text="Perhaps\n```text\nx\n``"), RetypeChunk(kind="reasoning"),
        TextChunk(text="```python\nprint(1)\n```\n"), STOP,
    ])  # fmt: skip
    at = chunks.index(RetypeChunk(kind="reasoning"))
    assert read(chunks[:at]) == ("Perhaps\n```text\nx\n``", "", None)
    assert read(chunks[at:])[:2] == ("", "print(1)")


def test_joined_messages_keep_their_pictures() -> None:
    one, two = (Picture(name=name, data="x", width=1, height=1) for name in ("a.png", "cell:1"))
    history: list[ChatMessage] = [
        UserMessage(text="go", pictures=[one]),
        AssistantMessage(
            text="", tool_calls=[ToolCall(id="1", name="execute_code", arguments="{}")]
        ),
        ToolMessage(tool_call_id="1", text="ok"),
        UserMessage(text="drawn", pictures=[two], figures=True),
    ]
    request = ModelRequest(turn_id="t", model="m", system="", messages=history, tools=[])
    messages = fenced(request).messages
    assert [one.role for one in messages] == ["user", "assistant", "user"]
    assert [m.pictures for m in messages if isinstance(m, UserMessage)] == [[one], [two]]
    assert messages[-1].text.endswith("drawn")
