"""Bodies as servers want them, answers as servers send them."""

import json
from typing import Any

import pytest

from gpt_code_ui.answer import EXECUTE_CODE
from gpt_code_ui.chat_completions import AnswerReader, request_body
from gpt_code_ui.errors import (
    AnswerCut,
    AnswerTooLong,
    ModelError,
    ModelRateLimited,
    ModelRefusedKey,
    NotAnAnswer,
)
from gpt_code_ui.event_lines import EventLines
from gpt_code_ui.protocol import (
    AssistantMessage,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
    UsageChunk,
    UserMessage,
)
from tests.scripted_openai import DONE, chunk, usage

STOP = FinishChunk(reason="stop")


def sse(*objects: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in objects)


def read(data: bytes, size: int = 10**9) -> list[ModelChunk]:
    reader = AnswerReader()
    chunks: list[ModelChunk] = []
    for at in range(0, len(data), size):
        chunks += reader.feed(data[at : at + size])
    return chunks + reader.end()


def test_the_body_of_a_request() -> None:
    call = ToolCall(id="c1", name="execute_code", arguments='{"code": "1"}')
    request = ModelRequest(
        turn_id="t",
        model="any/name:7b",
        system="S",
        messages=[
            UserMessage(text="U"),
            AssistantMessage(text="", tool_calls=[call]),
            ToolMessage(tool_call_id="c1", text="R"),
            AssistantMessage(text="A"),
        ],
        tools=[EXECUTE_CODE],
    )
    wire_call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "execute_code", "arguments": '{"code": "1"}'},
    }
    assert request_body(request, with_usage=True) == {
        "model": "any/name:7b",
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "U"},
            {"role": "assistant", "content": None, "tool_calls": [wire_call]},
            {"role": "tool", "tool_call_id": "c1", "content": "R"},
            {"role": "assistant", "content": "A"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "execute_code",
                    "description": EXECUTE_CODE.description,
                    "parameters": EXECUTE_CODE.parameters,
                },
            }
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert "stream_options" not in request_body(request, with_usage=False)


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_text_reasoning_and_usage(size: int) -> None:
    data = sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "hm"}),
        chunk({"content": "北京 \u2028 \r 😀"}),
        chunk(finish="stop"),
        usage(3, 4),
    )
    assert read(b": hello\r\n\r\n" + data + DONE, size) == [
        ReasoningChunk(text="hm"),
        TextChunk(text="北京 \u2028 \r 😀"),
        STOP,
        UsageChunk(input_tokens=3, output_tokens=4),
    ]


def test_lines_end_as_they_like_and_the_last_may_be_missing() -> None:
    lines = EventLines()
    assert lines.feed(b"event: error\r\ndata: 1\r\n\r\nid: 5\ndata:2\ndata: 3\n\nda") == [
        ("error", b"1"),
        ("", b"2\n3"),
    ]
    assert lines.feed(b"ta: 4") == []
    assert lines.end() == [("", b"4")]


def test_a_character_cut_in_two_by_the_server_is_joined() -> None:
    data = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
    data += b'data: {"choices":[{"delta":{"content":"\\ude00 \\ud83d"}}]}\n\n'
    assert read(data + sse(chunk(finish="stop"))) == [
        TextChunk(text="😀 "),
        TextChunk(text="\ufffd"),
        STOP,
    ]


def calls(*pieces: dict[str, Any]) -> list[ModelChunk]:
    return read(sse(*(chunk({"tool_calls": [one]}) for one in pieces), chunk(finish="tool_calls")))[
        :-1
    ]


def piece(
    index: int | None, id: str | None, name: str | None, arguments: Any = ""
) -> dict[str, Any]:
    return {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}


def call_chunk(index: int, id: str | None, name: str | None, arguments: str = "") -> ToolCallChunk:
    return ToolCallChunk(index=index, id=id, name=name, arguments=arguments)


def test_calls_by_index_with_gaps() -> None:
    pieces = [
        piece(0, "a", "f"),
        piece(0, None, None, "1"),
        piece(3, "b", "f"),
        piece(3, "", "", "2"),
    ]
    assert calls(*pieces) == [
        call_chunk(0, "a", "f"),
        call_chunk(0, None, None, "1"),
        call_chunk(1, "b", "f"),
        call_chunk(1, None, None, "2"),
    ]


def test_calls_without_an_index_are_told_apart_by_id() -> None:
    pieces = [piece(None, "a", "f", "1"), piece(None, None, None, "2"), piece(None, "b", "f", "3")]
    assert [one.index for one in calls(*pieces) if isinstance(one, ToolCallChunk)] == [0, 0, 1]


def test_calls_that_all_have_index_zero_are_told_apart_by_id() -> None:
    pieces = [piece(0, "a", "f", "1"), piece(0, "a", None, "2"), piece(0, "b", "f", "3")]
    assert [one.index for one in calls(*pieces) if isinstance(one, ToolCallChunk)] == [0, 0, 1]


@pytest.mark.parametrize(
    "pieces",
    [
        # A fresh id and the name in each piece.
        [piece(0, "a", "f", ""), piece(0, "b", "f", '{"x"'), piece(0, "c", "f", ": 1}"),
         piece(0, "d", "f", '{"x": 2}')],
        # One id for all, whole calls.
        [piece(0, "a", "f", '{"x": 1}'), piece(0, "a", "f", '{"x": 2}')],
        # No id and no index.
        [piece(None, None, "f", '{"x": 1}'), piece(None, None, "f", '{"x": 2}')],
        [piece(None, "", "f", '{"x"'), piece(None, "", None, ": 1}"),
         piece(None, "", "f", '{"x": 2}')],
        # Side by side, and the index as text.
        [{**piece(None, "a", "f", '{"x"'), "index": "0"}, piece(1, "b", "f", '{"x"'),
         piece(0, None, None, ": 1}"), piece(1, None, None, ": 2}")],
        # The same again is no second call.
        [piece(0, None, "f", '{"x": 1}'), piece(0, None, "f", '{"x": 1}'),
         piece(1, None, "f", '{"x": 2}')],
    ],
)  # fmt: skip
def test_two_calls_are_told_apart(pieces: list[dict[str, Any]]) -> None:
    found: dict[int, str] = {}
    for one in calls(*pieces):
        assert isinstance(one, ToolCallChunk)
        found[one.index] = found.get(one.index, "") + one.arguments
    assert [one[-8:] for one in found.values()] == ['{"x": 1}', '{"x": 2}']


def test_neighbours_of_one_role_are_joined() -> None:
    request = ModelRequest(
        turn_id="t",
        model="m",
        system="S",
        messages=[
            UserMessage(text="a"), UserMessage(text="b"), AssistantMessage(text="c"),
            AssistantMessage(text="d"), UserMessage(text="e"),
        ],
        tools=[],
    )  # fmt: skip
    sent = request_body(request, with_usage=False)["messages"]
    assert [(one["role"], one["content"]) for one in sent] == [
        ("system", "S"), ("user", "a\n\nb"), ("assistant", "c\n\nd"), ("user", "e"),
    ]  # fmt: skip


def test_what_came_with_a_call_goes_back_with_it() -> None:
    signed = {"google": {"thought_signature": "c2ln"}}
    chunks = calls({**piece(0, "a", "f", "{}"), "extra_content": signed})
    assert [one.extra for one in chunks if isinstance(one, ToolCallChunk)] == [signed]
    call = ToolCall(id="a", name="f", arguments="{}", extra=signed)
    details = [{"type": "reasoning.text", "text": "Hm.", "index": 0}]
    answer = AssistantMessage(text="", tool_calls=[call], details=details)
    request = ModelRequest(turn_id="t", model="m", system="S", messages=[answer], tools=[])
    sent = request_body(request, with_usage=False)["messages"][1]
    assert sent["tool_calls"][0]["extra_content"] == signed
    assert sent["reasoning_details"] == details


def test_arguments_that_are_an_object() -> None:
    assert calls(piece(0, "a", "f", {"code": "1"})) == [call_chunk(0, "a", "f", '{"code": "1"}')]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, [UsageChunk(input_tokens=3, output_tokens=4)]),
        ({"prompt_tokens": None, "completion_tokens": None}, []),
        ({}, []),
    ],
)
def test_usage_by_other_names_and_usage_that_says_nothing(
    counts: dict[str, object], told: list[ModelChunk]
) -> None:
    data = sse(chunk({"content": "ok"}), {**chunk(finish="stop"), "usage": counts})
    assert read(data) == [TextChunk(text="ok"), STOP, *told]


def test_what_a_stream_says_instead_of_an_answer_is_told() -> None:
    with pytest.raises(ModelError, match="engine died") as failure:
        read(sse(chunk({"role": "assistant"}), {"detail": "engine died"}) + DONE)
    assert type(failure.value) is AnswerCut


def test_content_that_is_one_piece() -> None:
    data = sse(chunk({"content": {"type": "text", "text": "ok"}}), chunk(finish="stop"))
    assert read(data) == [TextChunk(text="ok"), STOP]


def test_odd_shapes_are_passed_over() -> None:
    odd: list[Any] = [
        None, 5, [], {}, {"choices": None}, {"choices": []}, {"choices": [None]},
        {"choices": [{"delta": None}]}, {"choices": [{"delta": {"content": None}}]},
        {"choices": [{"delta": {"content": 5, "tool_calls": [None, {}]}}]},
        {"choices": [{"delta": {"content": [{"type": "text", "text": "a"}, "b", {}]}}]},
    ]  # fmt: skip
    chunks = read(sse(*odd, chunk(finish="stop")))
    assert chunks == [call_chunk(0, None, None), TextChunk(text="a"), STOP]


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("stop", "stop"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos_token", "stop"),
    ],
)
def test_reasons(reason: str, ours: str) -> None:
    finish = FinishChunk.model_validate({"reason": ours})
    assert read(sse(chunk({"content": "a"}, finish=reason))) == [TextChunk(text="a"), finish]


def test_a_plain_answer_to_a_streamed_request() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
    }
    choice = {"message": message, "finish_reason": "tool_calls"}
    counts = {"prompt_tokens": 1, "completion_tokens": 2}
    document = json.dumps({"choices": [choice], "usage": counts}, indent=1).encode()
    assert read(document, 5) == [
        TextChunk(text="Hi"),
        call_chunk(0, "a", "f", "{}"),
        FinishChunk(reason="tool_calls"),
        UsageChunk(input_tokens=1, output_tokens=2),
    ]


HELLO = chunk({"content": "Hello"})
BAD: list[tuple[bytes, type[ModelError]]] = [
    (b"", NotAnAnswer),
    (b"<!doctype html><p>Sign in</p>", NotAnAnswer),
    (b"  \n<html>", NotAnAnswer),
    (b"{}", NotAnAnswer),
    (b'{"choices": null}', NotAnAnswer),
    (b'{"choices": [', NotAnAnswer),
    (b"Hello, I am no endpoint", NotAnAnswer),
    (DONE, NotAnAnswer),
    (sse({"choices": None}) + DONE, NotAnAnswer),
    (sse(HELLO), AnswerCut),
    (sse(HELLO) + DONE, AnswerCut),
    (sse(HELLO)[:-9], AnswerCut),
    (sse(HELLO, chunk(finish="insufficient_system_resource")), AnswerCut),
    (sse(HELLO) + b"data: {oops}\n\n", NotAnAnswer),
    (b"data: " + b"[" * 100_000 + b"\n\n", NotAnAnswer),
    (sse({"error": {"message": "upstream failed"}}), AnswerCut),
    (sse({"error": {"message": "slow", "type": "rate_limit_error"}}), ModelRateLimited),
    (b'event: error\ndata: {"message": "boom"}\n\n', AnswerCut),
    (b'{"error": {"message": "boom"}}', ModelError),
    (b'[{"error": {"code": 429, "message": "boom", "status": "RESOURCE_EXHAUSTED"}}]',
     ModelRateLimited),
    (b'{"code": "InvalidApiKey", "message": "Invalid API-key provided."}', ModelRefusedKey),
    (b'{"detail": "Not authenticated"}', ModelRefusedKey),
    (b'{"detail": [{"loc": ["body"], "msg": "Field required"}]}', ModelError),
    (b'{"success": false, "code": 500, "msg": "no"}', ModelError),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), BAD)
@pytest.mark.parametrize("size", [3, 10**6])
def test_what_is_no_answer(data: bytes, kind: type[ModelError], size: int) -> None:
    with pytest.raises(ModelError) as caught:
        read(data, size)
    assert type(caught.value) is kind


def test_a_flood_is_refused() -> None:
    reader = AnswerReader(max_bytes=100)
    with pytest.raises(AnswerTooLong):
        for _ in range(10):
            reader.feed(sse(HELLO))
