"""A conversation is kept inside the window: shortened, dropped and told of, and always valid."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt_code_ui.context import (
    DEFAULT_WINDOW,
    Gauge,
    estimate,
    fit,
    known_window,
    message_text,
    size_of,
    told_for,
)
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    Picture,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from gpt_code_ui.seeing import NO_ROOM, is_shown, pictures_in, without
from gpt_code_ui.told import FOUND

SYSTEM = "You are a code interpreter."
TOOLS = [ToolSpec(name="execute_code", description="Run it.", parameters={"type": "object"})]


def user(text: str) -> list[ChatMessage]:
    return [UserMessage(text=text)]


def ran(*results: str, id: str, failed: bool = False, text: str = "") -> list[ChatMessage]:
    """An answer with calls, and their results; ``failed`` is the last one."""
    ids = [f"{id}.{n}" for n in range(len(results))]
    calls = [ToolCall(id=one, name="execute_code", arguments='{"code": "x"}') for one in ids]
    told = [
        ToolMessage(tool_call_id=one, text=result, failed=failed and one == ids[-1])
        for one, result in zip(ids, results, strict=True)
    ]
    return [AssistantMessage(text=text, tool_calls=calls), *told]


def tokens(messages: Sequence[ChatMessage]) -> int:
    return size_of(SYSTEM, messages, TOOLS, count=estimate)


def fitted(messages: Sequence[ChatMessage], window: int) -> list[ChatMessage]:
    return fit(SYSTEM, messages, TOOLS, window)


def assert_valid(messages: Sequence[ChatMessage]) -> None:
    """Every call has its result right behind it, every result its call, and a user begins."""
    assert isinstance(messages[0], UserMessage)
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            assert waiting.pop(0) == message.tool_call_id
        else:
            assert waiting == []
            if isinstance(message, AssistantMessage):
                waiting = [call.id for call in message.tool_calls]
    assert waiting == []


# --- any history, any window


def shown(name: str, edge: int) -> Picture:
    """A picture as it may be sent."""
    return Picture(name=name, media_type="image/png", data="aGk=", width=edge, height=edge)


words = st.text("abc 线é\n", max_size=30)
outputs = st.builds(lambda text, times: text * times, words, st.sampled_from([1, 5, 200]))
answers = st.one_of(
    words.map(lambda text: ("said", text, False)),
    st.tuples(st.just("ran"), st.lists(outputs, min_size=1, max_size=3), st.booleans()),
)
pictures = st.lists(st.sampled_from([1, 300, 900]), max_size=2)
turns = st.lists(
    st.tuples(
        st.lists(st.tuples(outputs, pictures), min_size=1, max_size=2),
        st.lists(st.tuples(answers, pictures), max_size=4),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[ChatMessage]:
    messages: list[ChatMessage] = []
    for at, (prompts, parts) in enumerate(draw(turns)):
        for prompt, edges in prompts:
            attached = [shown(f"{at}.png", edge) for edge in edges]
            messages.append(UserMessage(text=f"{at} {prompt}", pictures=attached))
        for number, ((kind, value, failed), edges) in enumerate(parts):
            if kind == "said":
                messages.append(AssistantMessage(text=str(value)))
                continue
            messages += ran(*value, id=f"{at}.{number}", failed=failed)
            if edges:
                drawn = [shown(f"cell:{at}", edge) for edge in edges]
                messages.append(UserMessage(text="drawn", pictures=drawn, figures=True))
    return messages


def questions(messages: Sequence[ChatMessage]) -> list[UserMessage]:
    """What a person said, without figures."""
    return [one for one in messages if isinstance(one, UserMessage) and not one.figures]


def pictures_sent(messages: Sequence[ChatMessage]) -> list[Picture]:
    return [one for one in pictures_in(messages) if is_shown(one)]


@given(histories(), st.integers(0, 3000))
def test_any_history_in_any_window_is_valid(history: list[ChatMessage], window: int) -> None:
    kept = fitted(history, window)
    assert_valid(kept)
    last, left = questions(history)[-1], questions(kept)[-1]
    assert left in (last, without(last, NO_ROOM))
    if left != last:
        assert pictures_sent(kept) == [] and is_least(history, without_last(kept, last))
    errors = [one for one in history if isinstance(one, ToolMessage) and one.failed]
    if errors:
        assert errors[-1] in kept
    if tokens(history) <= window:
        assert kept == history
    elif tokens(kept) > window:
        assert is_least(history, kept)


def without_last(kept: list[ChatMessage], last: UserMessage) -> list[ChatMessage]:
    """What was left before the last question lost its pictures: too long still."""
    at = max(n for n, one in enumerate(kept) if one in questions(kept))
    return [*kept[:at], last, *kept[at + 1 :]]


def is_least(history: list[ChatMessage], kept: list[ChatMessage]) -> bool:
    """What is left: a note, the last question, the latest error's round and the last round."""
    users = questions(kept)
    rounds = [one for one in kept if isinstance(one, AssistantMessage)]
    failed = {one.tool_call_id for one in kept if isinstance(one, ToolMessage) and one.failed}
    whole = next((r for r in reversed(rounds) if {call.id for call in r.tool_calls} & failed), None)
    spared = {call.id for call in whole.tool_calls} if whole else set()
    long = [
        one
        for one in kept
        if isinstance(one, ToolMessage)
        and len(one.text.encode()) > 240
        and one.tool_call_id not in spared
    ]
    return len(users) <= 2 and len(rounds) <= 2 and not long


def test_old_pictures_go_first_and_those_of_the_last_question_last() -> None:
    history: list[ChatMessage] = [
        UserMessage(text="first", pictures=[shown("a.png", 900)]),
        *ran(LONG, id="a"), UserMessage(text="", pictures=[shown("cell:1", 900)], figures=True),
        UserMessage(text="second", pictures=[shown("b.png", 900)]),
        *ran("ok", id="b"), UserMessage(text="", pictures=[shown("cell:2", 900)], figures=True),
    ]  # fmt: skip
    assert tokens(history) > 4 * 1080 + 2000

    def left(window: int) -> list[str]:
        kept = fitted(history, window)
        assert_valid(kept)
        assert tokens(kept) <= window
        return [one.name for one in pictures_sent(kept)]

    assert left(9000) == ["a.png", "cell:1", "b.png", "cell:2"]
    assert left(6000) == ["cell:1", "b.png", "cell:2"]
    assert left(4500) == ["b.png", "cell:2"]
    kept = fitted(history, 3500)
    assert [one.name for one in pictures_sent(kept)] == ["b.png"]
    assert "[picture not sent again: a.png]" in message_text(kept[0])
    assert isinstance(kept[2], ToolMessage) and kept[2].text == LONG  # text is whole yet
    assert left(1300) == ["b.png"]
    assert left(400) == []


# --- what goes first


LONG = "0123456789" * 800  # 2000 tokens


def test_old_outputs_are_shortened_before_anything_is_dropped() -> None:
    history = [
        *user("first"), *ran(LONG, id="a"), *user("second"), *ran(LONG, id="b"), *user("third"),
        *ran(LONG, id="c"),
    ]  # fmt: skip
    kept = fitted(history, 3000)
    assert tokens(kept) <= 3000
    assert [type(one) for one in kept] == [type(one) for one in history]
    sizes = [len(one.text) for one in kept if isinstance(one, ToolMessage)]
    assert sizes[0] < 1100 and sizes[1] < 1100 and sizes[2] == len(LONG)
    assert "bytes left out" in next(one for one in kept if isinstance(one, ToolMessage)).text


def test_only_as_much_is_shortened_as_has_to_be() -> None:
    history = [*user("one"), *ran(LONG, id="a"), *ran(LONG, id="b"), *ran("ok", id="c")]
    kept = fitted(history, 2600)
    sizes = [len(one.text) for one in kept if isinstance(one, ToolMessage)]
    assert sizes[0] < 1100 and sizes[1] == len(LONG)


def test_dropped_turns_leave_a_digest_and_what_was_told_of_files() -> None:
    told = FOUND + '"a.csv": csv; 10 bytes'
    history = [
        *user("How many?\n" + "x" * 8000 + told), *ran("ok\n[files added: b.png]", id="a"),
        AssistantMessage(text="I counted. It is 4."), *user("and now?"),
        AssistantMessage(text="5"), *user("why?"),
    ]  # fmt: skip
    assert fitted(history, 400) == [
        UserMessage(
            text="[This conversation is longer than what you can read. Left out here: 1 earlier "
            "messages of the person, 2 answers and their results. What they were about:\n"
            '- asked: "How many?"; answered: "I counted. It is 4."; files: b.png\n]' + told
        ),
        *user("and now?"), AssistantMessage(text="5"), *user("why?"),
    ]  # fmt: skip


def test_figures_of_dropped_turns_are_no_questions() -> None:
    history: list[ChatMessage] = [
        *user("How many?"), *ran("x" * 8000, id="a"),
        UserMessage(text="[what your code drew]", pictures=[shown("cell:1", 900)], figures=True),
        AssistantMessage(text="It is 4."), *user("why?" + "y" * 1200),
    ]  # fmt: skip
    note = fitted(history, 400)[0].text
    assert "1 earlier messages of the person, 2 answers" in note
    assert '- asked: "How many?"; answered: "It is 4."' in note
    assert "drew" not in note


def test_without_room_there_is_no_digest() -> None:
    history = [*user("x" * 8000), AssistantMessage(text="It is 4."), *user("why?")]
    assert fitted(history, 60)[0].text.endswith("1 answers and their results.]")


def test_the_latest_error_outlives_its_turn() -> None:
    error = ran("KeyError: 'x'", id="e", failed=True)
    history = [*user("y" * 8000), *error, *user("next"), *ran("ok", id="a"), *user("last")]
    kept = fitted(history, 120)
    assert_valid(kept)
    assert kept[1:] == [*error, *user("last")] and "Left out" in kept[0].text


def test_a_long_turn_loses_its_oldest_rounds() -> None:
    rounds = [ran("ok", id=str(n), text="z" * 400) for n in range(20)]
    history = [*user("go"), *(message for one in rounds for message in one)]
    kept = fitted(history, 800)
    assert_valid(kept)
    assert tokens(kept) <= 800
    assert kept[1:2] == user("go") and kept[-2:] == rounds[-1]


# --- tokens and windows


def test_the_estimate() -> None:
    assert [estimate(text) for text in ("", "abcd", "abcde", "线上", "ab线")] == [0, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-4o-mini", 128_000), ("gpt-4.1", 1_047_576), ("gpt-4", 8_192), ("o3-mini", 200_000),
        ("openrouter/anthropic/claude-sonnet-4", 200_000), ("qwen3:8b", DEFAULT_WINDOW),
        ("olmo-2", DEFAULT_WINDOW),
    ],
)  # fmt: skip
def test_windows_of_well_known_families(model: str, window: int) -> None:
    assert known_window(model) == window


def test_a_table_by_model() -> None:
    table = {"local/qwen": 1, "qwen": 2, "*": 3}
    assert [told_for(m, table) for m in ("local/qwen", "far/qwen", "qwen", "x")] == [1, 2, 2, 3]
    assert told_for("x", {"y": 1}) is None


def test_the_count_is_corrected_by_what_is_reported() -> None:
    gauge = Gauge()
    for _ in range(8):
        gauge.learn(1000, 2000)
    assert gauge.count("x" * 4000) == pytest.approx(2000, rel=0.02)
    gauge.learn(10, 1000)
    assert gauge.count("x" * 4000) == pytest.approx(2000, rel=0.02)


def test_an_overflow_narrows_the_window() -> None:
    gauge = Gauge(lambda: 32_768)
    gauge.overflowed(9000, 8192)
    assert gauge.window == 8192
    gauge.overflowed(5000, None)
    assert gauge.window == 3000


def test_an_overflow_within_the_window_corrects_the_count() -> None:
    gauge = Gauge(lambda: 8192)
    text = "x" * 4 * 5000
    gauge.overflowed(gauge.count(text), 8192)
    assert gauge.window == 8192 and gauge.count(text) > 8192
