"""The listener's side: stored, open and live events join without gap or repeat."""

from gpt_code_ui.protocol import CodeDelta, Event, Published, TextDelta, TextDone
from gpt_code_ui.subscription import MERGED_MAX, merge_deltas


def live(event: Event, conversation_id: str = "c") -> Published:
    return Published(conversation_id=conversation_id, at="2026-01-01T00:00:00.000Z", event=event)


def texts(events: list[Published]) -> list[Event]:
    return [one.event for one in merge_deltas(events)]


def test_neighbouring_deltas_of_one_part_become_one() -> None:
    events = [live(TextDelta(part_id="p", offset=i, text=c)) for i, c in enumerate("héllo")]
    assert texts(events) == [TextDelta(part_id="p", offset=0, text="héllo")]


def test_deltas_of_other_parts_kinds_and_conversations_stay_apart() -> None:
    events = [
        live(TextDelta(part_id="p", offset=0, text="a")),
        live(TextDelta(part_id="q", offset=0, text="b")),
        live(CodeDelta(cell_id="q", offset=1, text="c")),
        live(CodeDelta(cell_id="q", offset=2, text="d"), "other"),
    ]
    assert list(merge_deltas(events)) == events


def test_a_jump_in_the_offset_is_kept() -> None:
    events = [
        live(TextDelta(part_id="p", offset=0, text="abc")),
        live(TextDelta(part_id="p", offset=0, text="abcdef")),
    ]
    assert list(merge_deltas(events)) == events


def test_the_closing_event_stays_behind_its_deltas() -> None:
    done = live(TextDone(part_id="p", turn_id="t", text="ab"))
    events = [
        live(TextDelta(part_id="p", offset=0, text="a")),
        live(TextDelta(part_id="p", offset=1, text="b")),
        done,
    ]
    assert texts(events) == [TextDelta(part_id="p", offset=0, text="ab"), done.event]


def test_what_is_joined_has_a_bound() -> None:
    size = MERGED_MAX // 2 + 1
    events = [live(TextDelta(part_id="p", offset=i * size, text="x" * size)) for i in range(4)]
    assert [len(e.text) for e in texts(events) if isinstance(e, TextDelta)] == [2 * size] * 2
