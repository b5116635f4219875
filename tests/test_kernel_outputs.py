"""A cell's outputs under a clock that the test sets."""

from typing import Any

import pytest

from gpt_code_ui.kernel.outputs import (
    MAX_DISPLAYS,
    CellOutputs,
    OutputEvent,
    OutputLimits,
)
from gpt_code_ui.kernel.text import TAIL_BYTES
from gpt_code_ui.protocol import (
    CellOutput,
    CellOutputsCleared,
    CellOutputUpdated,
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    StreamOutput,
    Truncation,
)


def outputs(**limits: int) -> CellOutputs:
    return CellOutputs("c", OutputLimits(**limits))


def out(text: str, name: Any = "stdout", truncated: Truncation | None = None) -> CellOutput:
    return CellOutput(cell_id="c", output=StreamOutput(name=name, text=text), truncated=truncated)


def shown(text: str) -> DisplayDataOutput:
    return DisplayDataOutput(data={"text/plain": text})


def text_of(events: list[OutputEvent]) -> str:
    return "".join(
        e.output.text
        for e in events
        if isinstance(e, CellOutput) and isinstance(e.output, StreamOutput)
    )


# --- merging and pace --------------------------------------------------------------------------


def test_the_first_output_leaves_at_once_and_the_next_are_merged() -> None:
    cell = outputs()
    cell.stream("stdout", "a")
    assert cell.take(100.0) == [out("a")]
    cell.stream("stdout", "b")
    cell.stream("stdout", "c")
    assert cell.take(100.01) == []
    assert cell.due == pytest.approx(100.05)
    assert cell.take(100.05) == [out("bc")]
    assert cell.due is None


def test_names_stay_apart_and_in_order() -> None:
    cell = outputs()
    cell.stream("stdout", "a")
    cell.stream("stderr", "b")
    cell.stream("stdout", "c")
    assert cell.finish(1.0) == [out("a"), out("b", "stderr"), out("c")]


def test_many_alternating_writes_do_not_become_many_events() -> None:
    cell = outputs()
    for _ in range(10_000):
        cell.stream("stdout", "o")
        cell.stream("stderr", "e")
    events = cell.finish(1.0)
    assert len(events) <= 32
    assert sorted(text_of(events)) == ["e"] * 10_000 + ["o"] * 10_000


def test_never_more_than_twenty_events_and_a_megabyte_a_second() -> None:
    cell = outputs(inline_bytes=100_000_000)
    now, events = 0.0, []
    while now < 5.0:
        cell.stream("stdout", "x" * 10_000)
        events += cell.take(now)
        now += 0.001
    assert len(events) <= 5 * 20 + 1
    # The first piece may take what has gathered; what follows pays for it.
    assert len(text_of(events)) <= 6_500_000


def test_a_display_between_texts_keeps_its_place() -> None:
    cell = outputs()
    cell.stream("stdout", "before")
    cell.show(shown("figure"))
    cell.stream("stdout", "after")
    assert cell.finish(1.0) == [
        out("before"), CellOutput(cell_id="c", output=shown("figure")), out("after"),
    ]  # fmt: skip


def test_drain_gives_all_at_once() -> None:
    cell = outputs()
    cell.stream("stdout", "a")
    cell.take(1.0)
    cell.stream("stdout", "b")
    assert cell.drain(1.0) == [out("b")]


# --- limits ------------------------------------------------------------------------------------


def test_past_the_inline_limit_text_waits_for_the_end() -> None:
    cell = outputs(inline_bytes=10)
    cell.stream("stdout", "0123456789abc")
    assert cell.take(1.0) == [out("0123456789")]
    cell.stream("stdout", "def\n")
    assert cell.take(1.1) == [out("", truncated=Truncation(bytes_total=17, lines_total=1))]
    assert cell.finish(2.0) == [out("abcdef\n")]


def test_what_is_left_out_is_said_with_its_size() -> None:
    cell = outputs(inline_bytes=10)
    lines = 20_000
    for _ in range(lines):
        cell.stream("stdout", "123456789\n")
    total = Truncation(bytes_total=lines * 10, lines_total=lines)
    left = lines * 10 - 10 - TAIL_BYTES
    events = cell.finish(1.0)
    assert events[0] == out("123456789\n")
    assert events[1] == out(
        f"… {left:,} bytes ({lines - 1 - (TAIL_BYTES // 10 + 1):,} lines) left out …\n",
        truncated=total,
    )
    assert isinstance(events[2], CellOutput) and isinstance(events[2].output, StreamOutput)
    assert len(events[2].output.text) == TAIL_BYTES
    assert events[2].truncated == total
    assert len(events) == 3


def test_the_notice_of_held_text_comes_every_two_seconds_and_only_with_news() -> None:
    cell = outputs(inline_bytes=1)
    cell.stream("stdout", "aa")
    assert cell.take(10.0) == [out("a")]
    assert len(cell.take(10.1)) == 1
    assert cell.due is None
    cell.stream("stdout", "a")
    assert cell.due == pytest.approx(12.1)
    assert cell.take(11.0) == []
    assert cell.take(12.1) == [out("", truncated=Truncation(bytes_total=3, lines_total=0))]


def test_all_text_is_for_the_file() -> None:
    cell = outputs(inline_bytes=1)
    cell.stream("stdout", "printed\n")
    cell.show(ExecuteResultOutput(data={"text/plain": "42"}))
    cell.show(ErrorOutput(ename="E", evalue="v", traceback=["one", "two"]))
    assert "".join(cell.take_text()) == "printed\n42\none\ntwo\n"
    assert cell.take_text() == []


def test_text_after_the_end_is_sent_in_bounds() -> None:
    cell = outputs(inline_bytes=10)
    cell.stream("stdout", "x" * 20)
    cell.finish(1.0)
    cell.stream("stdout", "late")
    assert cell.take(2.0) == [out("late")]


def test_an_image_over_the_limit_becomes_a_note() -> None:
    cell = outputs(image_bytes=1024)
    cell.show(DisplayDataOutput(data={"image/png": "A" * 1_000_000, "text/plain": "<Figure>"}))
    (event,) = cell.finish(1.0)
    assert isinstance(event, CellOutput) and isinstance(event.output, DisplayDataOutput)
    assert event.output.data == {
        "text/plain": "[image/png of 0.7 MiB is over the 0.000976562 MiB shown inline; "
        "save it to a file to keep it]\n<Figure>"
    }


def test_a_long_value_is_shortened_and_whole_in_the_file() -> None:
    cell = outputs(inline_bytes=1000)
    cell.show(ExecuteResultOutput(data={"text/plain": "v" * 5000}))
    (event,) = cell.finish(1.0)
    assert isinstance(event, CellOutput) and isinstance(event.output, ExecuteResultOutput)
    assert "… 4,000 bytes left out …" in event.output.data["text/plain"]
    assert "".join(cell.take_text()) == "v" * 5000 + "\n"


def test_too_many_displays_are_counted() -> None:
    cell = outputs()
    for number in range(MAX_DISPLAYS + 100):
        cell.show(shown(str(number)))
    events = cell.finish(1.0)
    assert len(events) == MAX_DISPLAYS + 1
    assert events[-1] == out("… 100 more outputs left out …\n", "stderr")


def test_a_deep_traceback_is_cut_in_the_middle() -> None:
    cell = outputs()
    cell.show(ErrorOutput(ename="E", evalue="v", traceback=[str(i) for i in range(1000)]))
    (event,) = cell.finish(1.0)
    assert isinstance(event, CellOutput) and isinstance(event.output, ErrorOutput)
    assert event.output.traceback[31:34] == ["31", "… 936 frames left out …", "968"]


def test_a_progress_bar_becomes_its_last_state() -> None:
    cell = outputs()
    for percent in range(100):
        cell.stream("stderr", f"\r{percent:3d}%")
    assert cell.finish(1.0) == [out("\r 99%", "stderr")]


def test_lone_surrogates_are_replaced_everywhere() -> None:
    cell = outputs()
    cell.stream("stdout", "\ud800")
    cell.show(DisplayDataOutput(data={"text/html": "\udc80"}, metadata={"k": "\ud800"}))
    cell.show(ErrorOutput(ename="\ud800", evalue="\ud800", traceback=["\ud800"]))
    for event in cell.finish(1.0):
        assert "\ufffd" in event.model_dump_json()


# --- clearing and updating ---------------------------------------------------------------------


def test_clear_at_once_drops_what_waits() -> None:
    cell = outputs()
    cell.stream("stdout", "gone")
    cell.clear(wait=False)
    cell.stream("stdout", "new")
    assert cell.finish(1.0) == [CellOutputsCleared(cell_id="c"), out("new")]


def test_clear_with_wait_needs_something_new() -> None:
    cell = outputs()
    cell.stream("stdout", "old")
    cell.clear(wait=True)
    assert cell.take(1.0) == [out("old")]
    cell.stream("stdout", "new")
    assert cell.take(2.0) == [CellOutputsCleared(cell_id="c", wait=True), out("new")]


def test_an_animation_sends_its_last_frame_only() -> None:
    cell = outputs()
    for frame in range(1000):
        cell.clear(wait=True)
        cell.show(shown(str(frame)))
    assert cell.finish(1.0) == [
        CellOutputsCleared(cell_id="c", wait=True),
        CellOutput(cell_id="c", output=shown("999")),
    ]


def test_clearing_makes_room_again() -> None:
    cell = outputs(inline_bytes=10)
    cell.stream("stdout", "x" * 100)
    cell.clear(wait=False)
    cell.stream("stdout", "again")
    assert cell.finish(1.0) == [CellOutputsCleared(cell_id="c"), out("again")]


def test_updates_of_one_display_become_the_last() -> None:
    cell = outputs()
    cell.update("d", {"text/plain": "1"}, {})
    cell.update("e", {"text/plain": "x"}, {})
    cell.update("d", {"text/plain": "2"}, {"k": 1})
    assert cell.finish(1.0) == [
        CellOutputUpdated(display_id="d", data={"text/plain": "2"}, metadata={"k": 1}),
        CellOutputUpdated(display_id="e", data={"text/plain": "x"}),
    ]


def test_clearing_keeps_updates_of_other_cells() -> None:
    cell = outputs()
    cell.update("d", {"text/plain": "1"}, {})
    cell.clear(wait=False)
    assert [type(event) for event in cell.finish(1.0)] == [CellOutputUpdated, CellOutputsCleared]
