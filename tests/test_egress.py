"""What was sent, as the page shows it, against what arrived: byte for byte."""

import base64
import hashlib
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt_code_ui.answer import EXECUTE_CODE
from gpt_code_ui.asking import Asked, Options
from gpt_code_ui.capabilities import Capabilities
from gpt_code_ui.context import fit
from gpt_code_ui.protocol import ChatMessage, ModelRequest
from tests.scripted_openai import ScriptedOpenAI, answer, error
from tests.test_context import histories
from tests.test_vision import BLIND, Room, look

KEY = "sk-0123456789-of-the-egress-test"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ScriptedOpenAI() as server:
        one = Room(tmp_path, server, api_key=KEY)
        yield one
        one.site.close()


def assert_all_is_told(room: Room, *turns: str) -> None:
    """Every request that arrived is told of in its turn, in order, and none other."""
    told = [row for turn in turns for row in room.sent(turn)]
    arrived = [one.body for one in room.server.requests]
    assert [one["body"].encode() for one in told] == arrived
    assert [one["bytes"] for one in told] == [len(one) for one in arrived]
    assert [one["sha256"] for one in told] == [hashlib.sha256(one).hexdigest() for one in arrived]
    for one in room.server.requests:
        assert one.headers["authorization"] == f"Bearer {KEY}"
        assert KEY.encode() not in one.body
    for messages in (one.json["messages"] for one in room.server.requests):
        assert_paired(messages)


def assert_paired(messages: list[dict[str, Any]]) -> None:
    """Results follow their calls at once, each once, and user and assistant take turns."""
    waiting: list[str] = []
    last = "system"
    for message in messages[1:]:
        role = message["role"]
        if role == "tool":
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting, f"{waiting} have no result"
            assert role != last
            waiting = [call["id"] for call in message.get("tool_calls") or ()]
        last = role
    assert not waiting


BUSY = error(503, "busy", headers={"Retry-After": "0"})
TOO_LONG = error(
    400, "This model's maximum context length is 2500 tokens.", code="context_length_exceeded"
)


def test_refusals_repeats_and_second_eyes(room: Room) -> None:
    room.site.call("PATCH", "/api/settings", {"vision_model": "eyes"})
    room.save("photo.png", (20, 20))
    first = room.ask(
        "What is it?", error(400, "Unrecognized request argument: stream_options"), BLIND, BUSY,
        look("photo.png", "Which colour?"), BUSY, look("photo.png", "Which?"), answer("It is red."),
        answer("Red."), attach=("photo.png",),
    )  # fmt: skip
    assert len(room.server.requests) == 8
    assert [one.json["model"] for one in room.server.requests].count("eyes") == 2
    assert_all_is_told(room, first)
    second = room.ask("Draw", answer("", "draw", "draw"), answer("Done."))
    assert_all_is_told(room, first, second)


def test_shortened_requests_and_other_ways(room: Room) -> None:
    turns = [room.ask(f"{n} " + "word " * 900, answer("So. " * 300)) for n in range(4)]
    turns.append(room.ask("Draw", answer("", "draw", "draw"), TOO_LONG, answer("Done.")))
    before, after = (len(one.body) for one in room.server.requests[-2:])
    assert after < before
    assert "Left out here" in str(room.messages(-1)[1]["content"])
    assert_all_is_told(room, *turns)
    no_tools = error(400, "m does not support tools")
    turns.append(room.ask("And?", no_tools, answer("```python\ndraw\n```"), answer("Drawn.")))
    assert "tools" not in room.server.requests[-1].json
    assert_all_is_told(room, *turns)


def test_pictures_are_told_of_whole(room: Room) -> None:
    room.save("photo.png", (3000, 2000))
    turn = room.ask("What is it?", answer("Red."), attach=("photo.png",))
    [row] = room.sent(turn)
    [part] = [
        one for one in json.loads(row["body"])["messages"][1]["content"] if "image_url" in one
    ]
    shown = base64.b64decode(part["image_url"]["url"].partition(";base64,")[2])
    assert len(shown) > 1000
    assert_all_is_told(room, turn)


def test_a_model_that_wants_an_answer_between_a_result_and_a_figure_gets_one(room: Room) -> None:
    """Mistral's order: https://github.com/avante-corp/avante.nvim/issues/2562."""
    refusal = error(400, "Unexpected role 'user' after role 'tool'", code="3230")
    first = room.ask("Draw", answer("", "draw"), refusal, answer("Done."))
    roles = [one["role"] for one in room.messages(2)]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    second = room.ask("And?", answer("That was all."))
    after = [one["role"] for one in room.messages(3)]
    assert after == [*roles, "assistant", "user"]
    assert_all_is_told(room, first, second)


@given(
    histories(), st.integers(0, 3000), st.sampled_from([None, False]),
    st.sampled_from([None, False]), st.sampled_from([None, False]), st.booleans(),
)  # fmt: skip
def test_any_history_is_valid_for_any_model(
    history: list[ChatMessage], window: int, tools: bool | None, vision: bool | None,
    system: bool | None, bridges: bool,
) -> None:  # fmt: skip
    request = ModelRequest(
        turn_id="t", model="m", system="S", tools=[EXECUTE_CODE],
        messages=fit("S", history, [EXECUTE_CODE], window),
    )  # fmt: skip
    known = Capabilities(tools=tools, vision=vision, system=system, bridges=bridges)
    messages = Asked(request, known, Options(), newest=False).body["messages"]
    opening = [] if system is False else [messages.pop(0)]
    assert [one["role"] for one in opening] in ([], ["system"])
    assert messages[0]["role"] == "user"
    assert_paired([{"role": "system"}, *messages])
    roles = [one["role"] for one in messages]
    if bridges:
        assert ("tool", "user") not in pairwise(roles)
    if tools is False:
        assert "tool" not in roles and not any("tool_calls" in one for one in messages)
    if vision is False:
        assert b"image_url" not in json.dumps(messages).encode()
