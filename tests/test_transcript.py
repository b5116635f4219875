"""The fold: golden logs, and what must hold for every log (R1 to R4)."""

import json
import random
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt_code_ui.protocol import (
    DELTA_TYPES,
    CellFinished,
    CellOutput,
    CellOutputsCleared,
    CellOutputUpdated,
    CellStarted,
    CodeDelta,
    ConversationChanged,
    ConversationSummary,
    Delta,
    DisplayDataOutput,
    ErrorBody,
    Event,
    InputReplied,
    InputRequested,
    KernelStatus,
    Published,
    ReasoningDelta,
    ReasoningDone,
    StreamOutput,
    TextDelta,
    TextDone,
    Transcript,
    TurnFinished,
    TurnStarted,
    Usage,
)
from gpt_code_ui.transcript import Fold, closing_events, fold

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
START = "2026-03-01T08:00:00.000Z"
SUMMARY = ConversationSummary(id="c", title="", created_at=START, updated_at=START)


def golden(path: Path) -> tuple[ConversationSummary, list[Published], Any]:
    """A golden log: how it begins, what happens, and the transcript as JSON."""
    log = json.loads(path.read_text(encoding="utf-8"))
    summary = ConversationSummary.model_validate(log["summary"])
    return summary, [Published.model_validate(one) for one in log["events"]], log["transcript"]


def numbered(events: list[Event]) -> list[Published]:
    """Events as they are published: deltas without a number, each with its own time."""
    published, seq = [], 0
    for index, event in enumerate(events):
        seq += event.type not in DELTA_TYPES
        own = None if event.type in DELTA_TYPES else seq
        at = f"2026-03-01T09:{index // 60:02d}:{index % 60:02d}.000Z"
        published.append(Published(seq=own, conversation_id="c", at=at, event=event))
    return published


def stored(events: list[Published]) -> list[Published]:
    """What a store keeps of them."""
    return [one for one in events if one.event.type not in DELTA_TYPES]


# --- golden logs


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_log(path: Path) -> None:
    summary, events, expected = golden(path)
    assert fold(summary, events).model_dump(mode="json", exclude_none=True) == expected


def test_golden_logs_have_every_event() -> None:
    seen = {one.event.type for path in GOLDEN for one in golden(path)[1]}
    every = {kind.model_fields["type"].default for kind in get_args(get_args(Event)[0])}
    assert seen == every


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_one_turn_and_one_cell_are_those_of_the_transcript(path: Path) -> None:
    summary, events, _ = golden(path)
    accumulator = Fold(summary)
    for published in events:
        accumulator.apply(published)
    transcript = accumulator.transcript()
    turns = {turn.turn_id: turn for turn in transcript.turns if turn.turn_id}
    cells = {p.cell_id: p for turn in transcript.turns for p in turn.parts if p.type == "cell"}
    assert {id: accumulator.turn(id) for id in turns} == turns
    assert {id: accumulator.cell(id) for id in cells} == cells
    assert accumulator.turn("nobody") is None and accumulator.cell("nobody") is None


# --- what is open


def test_open_parts_are_told_whole_and_in_order() -> None:
    accumulator = Fold(SUMMARY)
    deltas: list[Delta] = [
        ReasoningDelta(part_id="r", offset=0, text="Hm"),
        TextDelta(part_id="p", offset=0, text="a😀"),
        TextDelta(part_id="p", offset=2, text="b"),
        CodeDelta(cell_id="x", offset=0, text="im"),
        CodeDelta(cell_id="x", offset=2, text="port os"),
    ]
    done = ReasoningDone(part_id="r", turn_id="t", text="Hm.")
    started = TurnStarted(turn_id="t", prompt="", model="m")
    for published in numbered([started, deltas[0], done, *deltas[1:]]):
        accumulator.apply(published)
    assert accumulator.open_parts() == [
        TextDelta(part_id="p", offset=0, text="a😀b"),
        CodeDelta(cell_id="x", offset=0, text="import os"),
    ]
    accumulator.apply(
        Published(
            seq=99,
            conversation_id="c",
            at=START,
            event=CellStarted(cell_id="x", turn_id="t", code="import os", origin="model"),
        )
    )
    assert accumulator.open_parts() == [TextDelta(part_id="p", offset=0, text="a😀b")]


def test_closing_a_log_that_a_crash_left_open() -> None:
    events: list[Event] = [
        CellStarted(cell_id="y", code="input()", origin="person"),
        TurnStarted(turn_id="t", prompt="Go", model="m"),
        CellStarted(cell_id="x1", turn_id="t", code="1", origin="model"),
        CellFinished(cell_id="x1", status="ok"),
        ReasoningDelta(part_id="r", offset=0, text="Hm"),
        TextDelta(part_id="p", offset=0, text="Half"),
        CodeDelta(cell_id="x2", offset=0, text="import"),
    ]
    published = numbered(events)
    closing = closing_events(fold(SUMMARY, published), "Ended.")
    assert closing == [
        CellFinished(cell_id="y", status="interrupted", reason="Ended."),
        ReasoningDone(part_id="r", turn_id="t", text="Hm"),
        TextDone(part_id="p", turn_id="t", text="Half"),
        CellStarted(cell_id="x2", turn_id="t", code="import", origin="model"),
        CellFinished(cell_id="x2", status="not_run", reason="Ended."),
        TurnFinished(
            turn_id="t",
            status="failed",
            error=ErrorBody(code="interrupted", message="Ended.", retryable=True),
        ),
    ]
    closed = fold(SUMMARY, numbered([*events, *closing]))
    assert closing_events(closed, "Again.") == []


def test_a_cell_that_runs_again_begins_anew() -> None:
    first: list[Event] = [
        CellStarted(cell_id="x", code="old", origin="person"),
        CellOutput(cell_id="x", output=StreamOutput(name="stdout", text="old")),
        CellFinished(cell_id="x", status="error", execution_count=1, ms=5, reason="why"),
    ]
    again: list[Event] = [CellStarted(cell_id="x", code="new", origin="person")]
    transcript = fold(SUMMARY, numbered(first + again))
    (cell,) = transcript.turns[0].parts
    assert cell == fold(SUMMARY, numbered(again)).turns[0].parts[0].model_copy(
        update={"started_at": "2026-03-01T09:00:03.000Z", "edited": True}
    )


def test_a_long_conversation_folds_quickly() -> None:
    """One text in 20,000 pieces and 50,000 lines of output: each event costs the same."""
    events: list[Event] = [TurnStarted(turn_id="t", prompt="", model="m")]
    events += [TextDelta(part_id="p", offset=i * 3, text="a😀b") for i in range(20_000)]
    events += [CellStarted(cell_id="x", turn_id="t", code="", origin="model")]
    line = StreamOutput(name="stdout", text="line\n")
    events += [CellOutput(cell_id="x", output=line)] * 50_000
    transcript = fold(SUMMARY, numbered(events))
    text, cell = transcript.turns[0].parts
    assert text.type == "text" and len(text.text) == 60_000
    assert cell.type == "cell" and len(cell.outputs) == 1


# --- what holds for every log


class Writer:
    """Writes a log that keeps R2, from whatever steps it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.turn: str | None = None
        self.open: tuple[str, str, str] | None = None
        self.cells: list[str] = []
        self.count = 0

    def new(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def close_part(self, status: str = "ok") -> None:
        """End what is being written, with its whole value."""
        if self.open is None or self.turn is None:
            return
        (kind, id, text), self.open = self.open, None
        if kind == "text":
            self.events.append(TextDone(part_id=id, turn_id=self.turn, text=text))
        elif kind == "reasoning":
            self.events.append(ReasoningDone(part_id=id, turn_id=self.turn, text=text))
        else:
            self.events.append(
                CellStarted(cell_id=id, turn_id=self.turn, code=text, origin="model")
            )
            self.cells.append(id)

    def step(self, action: str, number: int, text: str) -> None:
        """One thing that happens."""
        getattr(self, f"do_{action}")(number, text)

    def do_turn(self, number: int, text: str) -> None:
        self.close_part()
        if self.turn is None:
            self.turn = self.new("t")
            self.events.append(TurnStarted(turn_id=self.turn, prompt=text, model=f"m{number}"))
        else:
            self.events.append(TurnFinished(turn_id=self.turn, status="completed"))
            self.turn = None

    def do_write(self, number: int, text: str) -> None:
        """Open a part, or go on with it, sometimes taking back its end."""
        if self.turn is None:
            return
        kind, id, old = self.open or (("text", "reasoning", "code")[number % 3], self.new("p"), "")
        offset = max(len(old) - number // 3, 0)
        self.open = (kind, id, old[:offset] + text)
        if kind == "text":
            self.events.append(TextDelta(part_id=id, offset=offset, text=text))
        elif kind == "reasoning":
            self.events.append(ReasoningDelta(part_id=id, offset=offset, text=text))
        else:
            self.events.append(CodeDelta(cell_id=id, offset=offset, text=text))

    def do_close(self, number: int, text: str) -> None:
        self.close_part()

    def do_person(self, number: int, text: str) -> None:
        """A cell of the person's, sometimes after another, even one that is being written."""
        known = [*self.cells, *([self.open[1]] if self.open else []), "nobody"]
        after = known[number % len(known)] if number % 2 else None
        id = self.new("y")
        self.events.append(CellStarted(cell_id=id, code=text, origin="person", after_cell=after))
        self.cells.append(id)

    def cell(self, number: int) -> str:
        """Some cell; it may be one that is only being written."""
        known = [*self.cells, *([self.open[1]] if self.open else [])]
        return known[number % len(known)] if known else "nobody"

    def do_print(self, number: int, text: str) -> None:
        name = "stderr" if number % 4 == 0 else "stdout"
        output = StreamOutput.model_validate({"name": name, "text": text})
        self.events.append(CellOutput(cell_id=self.cell(number), output=output))

    def do_display(self, number: int, text: str) -> None:
        output = DisplayDataOutput(data={"text/plain": text})
        shown = CellOutput(cell_id=self.cell(number), output=output, display_id=f"d{number % 3}")
        self.events.append(shown)

    def do_update(self, number: int, text: str) -> None:
        update = CellOutputUpdated(display_id=f"d{number % 3}", data={"text/plain": text})
        self.events.append(update)

    def do_clear(self, number: int, text: str) -> None:
        clear = CellOutputsCleared(cell_id=self.cell(number), wait=number % 2 == 0)
        self.events.append(clear)

    def do_finish(self, number: int, text: str) -> None:
        self.events.append(CellFinished(cell_id=self.cell(number), status="error", reason=text))

    def do_ask(self, number: int, text: str) -> None:
        id = self.cell(number)
        ask = InputRequested(cell_id=id, prompt=text)
        self.events.append(ask if number % 2 else InputReplied(cell_id=id))

    def do_kernel(self, number: int, text: str) -> None:
        states = ("starting", "idle", "busy", "dead", "parked")
        status = {"state": states[number % 5], "reason": text or None}
        self.events.append(KernelStatus.model_validate(status))

    def do_other(self, number: int, text: str) -> None:
        if number % 2 and self.turn:
            usage = Usage(turn_id=self.turn, input_tokens=number, output_tokens=1, context_tokens=2)
            self.events.append(usage)
        else:
            self.events.append(ConversationChanged(title=text, pinned=number > 5))


ACTIONS = sorted(name.removeprefix("do_") for name in dir(Writer) if name.startswith("do_"))
unhurried = settings(deadline=None)  # a busy machine is no failure
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*ACTIONS, "write", "write", "print"]),
        st.integers(0, 11),
        st.text("ab\n😀北\u200d", max_size=4),
    ),
    max_size=60,
)


def log_of(steps: list[tuple[str, int, str]]) -> list[Event]:
    """A log that begins with a turn and in which everything written was closed."""
    writer = Writer()
    for step in [("turn", 1, "Go"), *steps]:
        writer.step(*step)
    writer.close_part()
    return writer.events


@unhurried
@given(STEPS)
def test_having_seen_the_deltas_makes_no_difference(steps: list[tuple[str, int, str]]) -> None:
    seen = numbered(log_of(steps))
    assert fold(SUMMARY, seen) == fold(SUMMARY, stored(seen))


@unhurried
@given(STEPS, st.integers(0, 2**32))
def test_joining_late_makes_no_difference(steps: list[tuple[str, int, str]], seed: int) -> None:
    """Stored events up to a moment, then the open parts whole, then what follows."""
    seen = numbered(log_of(steps))
    moment = random.Random(seed).randrange(len(seen) + 1)
    server = Fold(SUMMARY)
    for published in seen[:moment]:
        server.apply(published)
    whole = [Published(conversation_id="c", at=START, event=one) for one in server.open_parts()]
    joined = [*stored(seen[:moment]), *whole, *seen[moment:]]
    assert fold(SUMMARY, joined) == fold(SUMMARY, seen)


@unhurried
@given(STEPS, st.integers(0, 2**32))
def test_duplicates_are_passed_over(steps: list[tuple[str, int, str]], seed: int) -> None:
    seen = numbered(log_of(steps))
    chance = random.Random(seed)
    again: list[Published] = []
    for index, published in enumerate(seen):
        again.append(published)
        if chance.random() < 0.3:
            again += stored(seen[chance.randrange(index + 1) : index + 1])
    assert fold(SUMMARY, again) == fold(SUMMARY, seen)


@unhurried
@given(STEPS, st.integers(0, 2**32))
def test_the_place_of_kernel_states_makes_no_difference(
    steps: list[tuple[str, int, str]], seed: int
) -> None:
    seen = stored(numbered(log_of(steps)))
    states = [one for one in seen if isinstance(one.event, KernelStatus)]
    others = [one for one in seen if not isinstance(one.event, KernelStatus)]
    chance = random.Random(seed)
    places = sorted(chance.randrange(len(others) + 1) for _ in states)
    for shift, (place, state) in enumerate(zip(places, states, strict=True)):
        others.insert(place + shift, state)
    moved = [one.model_copy(update={"seq": seq}) for seq, one in enumerate(others, start=1)]
    assert fold(SUMMARY, moved) == fold(SUMMARY, seen)


@unhurried
@given(STEPS)
def test_a_transcript_survives_its_json(steps: list[tuple[str, int, str]]) -> None:
    transcript = fold(SUMMARY, numbered(log_of(steps)))
    assert (
        Transcript.model_validate_json(transcript.model_dump_json(exclude_none=True)) == transcript
    )


@unhurried
@given(STEPS)
def test_closing_closes_everything(steps: list[tuple[str, int, str]]) -> None:
    writer = Writer()
    for step in [("turn", 1, "Go"), *steps]:
        writer.step(*step)
    closing = closing_events(fold(SUMMARY, numbered(writer.events)), "Ended.")
    closed = numbered([*writer.events, *closing])
    transcript = fold(SUMMARY, closed)
    assert closing_events(transcript, "Again.") == []
    assert all(turn.status != "running" for turn in transcript.turns)
    assert transcript == fold(SUMMARY, stored(closed))
