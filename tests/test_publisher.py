"""Number, store, fan out: nothing is missed, repeated or shown before it is stored."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gpt_code_ui.errors import StoreError, StoreFull
from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellStarted,
    CodeDelta,
    DisplayDataOutput,
    Event,
    Published,
    StreamOutput,
    TextDelta,
    TextDone,
)
from gpt_code_ui.publisher import QUEUE_CAPACITY, Publisher, now
from gpt_code_ui.store import DeltaType, Store
from gpt_code_ui.subscription import (
    LIVE_CAPACITY,
    LIVE_CHARS,
    Closed,
    Subscription,
    weight,
)

DEADLINE = 10.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "log.db")
    for conversation_id in ("c", "d"):
        store.create_conversation(conversation_id, now(), "", None)
    yield store
    store.close()


@pytest.fixture
def publisher(store: Store) -> Iterator[Publisher]:
    publisher = Publisher(store)
    yield publisher
    publisher.close()


def line(index: int, cell_id: str = "k") -> CellOutput:
    return CellOutput(cell_id=cell_id, output=StreamOutput(name="stdout", text=f"{index}\n"))


def drain(subscription: Subscription, count: int) -> list[Published]:
    """The next ``count`` events."""
    got: list[Published] = []
    while len(got) < count:
        more = subscription.next(DEADLINE)
        assert more is not None, f"only {len(got)} of {count} events came"
        got += more
    return got


def events(published: list[Published]) -> list[Event]:
    return [one.event for one in published]


def test_numbers_rise_over_the_whole_store(publisher: Publisher) -> None:
    first = publisher.publish_durably("c", line(1))
    second = publisher.publish_durably("d", line(2))
    assert (first.seq, second.seq) == (1, 2)


def test_a_listener_gets_what_is_stored_then_what_is_open_then_what_follows(
    publisher: Publisher,
) -> None:
    publisher.publish("c", line(1))
    publisher.publish("c", TextDelta(part_id="p", offset=0, text="he"))
    publisher.publish_durably("c", line(2))
    publisher.publish("c", TextDelta(part_id="p", offset=2, text="ll"))
    publisher.call(lambda: None)
    subscription = publisher.subscribe("c", None)
    publisher.publish("c", TextDelta(part_id="p", offset=4, text="o"))
    publisher.publish("c", TextDone(part_id="p", turn_id="t", text="hello"))
    assert events(drain(subscription, 5)) == [
        line(1),
        line(2),
        TextDelta(part_id="p", offset=0, text="hell"),
        TextDelta(part_id="p", offset=4, text="o"),
        TextDone(part_id="p", turn_id="t", text="hello"),
    ]


def test_a_cursor_resumes_without_repeating(publisher: Publisher) -> None:
    for index in range(5):
        publisher.publish_durably("c", line(index))
    assert [one.seq for one in drain(publisher.subscribe("c", 3), 2)] == [4, 5]


def test_all_conversations_without_a_cursor_is_live_only(publisher: Publisher) -> None:
    publisher.publish_durably("c", line(1))
    subscription = publisher.subscribe(None, None)
    publisher.publish("d", line(2))
    assert events(drain(subscription, 1)) == [line(2)]


def test_a_listener_of_one_conversation_hears_no_other(publisher: Publisher) -> None:
    subscription = publisher.subscribe("c", None)
    publisher.publish("d", line(1))
    publisher.publish("c", line(2))
    assert events(drain(subscription, 1)) == [line(2)]


def test_listeners_that_join_in_the_middle_of_a_burst_see_the_same(publisher: Publisher) -> None:
    total = 2000

    def burst() -> None:
        for index in range(total):
            publisher.publish("c", line(index))

    writer = threading.Thread(target=burst)
    writer.start()
    subscriptions = [publisher.subscribe("c", None) for _ in range(5)]
    logs = [[one.seq for one in drain(subscription, total)] for subscription in subscriptions]
    writer.join()
    assert logs == [list(range(1, total + 1))] * 5


def test_a_listener_that_lags_starts_over_from_what_it_has_seen(publisher: Publisher) -> None:
    subscription = publisher.subscribe("c", None)
    publisher.publish("c", TextDelta(part_id="p", offset=0, text="open"))
    total = LIVE_CAPACITY + 500
    for index in range(total):
        publisher.publish("c", line(index))
    publisher.call(lambda: None)
    got = drain(subscription, total + 1)
    assert [one.seq for one in got if one.seq] == list(range(1, total + 1))
    assert TextDelta(part_id="p", offset=0, text="open") in events(got)


def test_large_outputs_do_not_pile_up_for_a_listener_that_stands_still(
    publisher: Publisher,
) -> None:
    subscription = publisher.subscribe("c", None)
    image = "x" * (LIVE_CHARS // 8)
    total = 20
    for index in range(total):
        output = DisplayDataOutput(data={"image/png": image, "text/plain": str(index)})
        publisher.publish("c", CellOutput(cell_id="k", output=output))
    publisher.call(lambda: None)
    chunks: list[list[Published]] = []
    while sum(map(len, chunks)) < total:
        chunk = subscription.next(DEADLINE)
        assert chunk is not None
        chunks.append(chunk)
    assert [one.seq for chunk in chunks for one in chunk] == list(range(1, total + 1))
    assert all(sum(map(weight, chunk)) <= LIVE_CHARS for chunk in chunks)


def test_nothing_within_the_time_is_none_and_the_end_is_closed(publisher: Publisher) -> None:
    subscription = publisher.subscribe("c", None)
    assert subscription.next(0.01) is None
    publisher.close()
    with pytest.raises(Closed):
        subscription.next(DEADLINE)


def test_a_watched_cell_comes_back_folded(publisher: Publisher) -> None:
    watch = publisher.watch("c", "k")
    publisher.publish("c", CodeDelta(cell_id="k", offset=0, text="pri"))
    publisher.publish("c", CellStarted(cell_id="k", code="print(1)", origin="model"))
    publisher.publish("c", line(1))
    publisher.publish("c", line(7, cell_id="other"))
    publisher.publish("c", CellFinished(cell_id="k", status="ok", execution_count=1, ms=3))
    cell = watch.wait()
    assert cell is not None
    assert (cell.status, cell.code) == ("ok", "print(1)")
    assert [output.output for output in cell.outputs] == [line(1).output]


class SpyStore(Store):
    """The real store; tells when a checkpoint was written."""

    saved = threading.Event()

    def checkpoint_part(
        self, conversation_id: str, part_id: str, type: DeltaType, text: str
    ) -> None:
        super().checkpoint_part(conversation_id, part_id, type, text)
        self.saved.set()


def test_an_open_part_is_checkpointed_by_itself(tmp_path: Path) -> None:
    store = SpyStore(tmp_path / "log.db")
    store.create_conversation("c", now(), "", None)
    publisher = Publisher(store)
    publisher.publish("c", TextDelta(part_id="p", offset=0, text="half a "))
    assert store.saved.wait(DEADLINE)
    assert store.open_parts("c") == [TextDelta(part_id="p", offset=0, text="half a ")]
    publisher.close()
    store.close()


class FullStore(Store):
    """Refuses to write until there is room."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.create_conversation("c", now(), "", None)
        self.room = threading.Event()
        self.refused = threading.Event()

    def append(self, batch: Sequence[tuple[str, str, Event]]) -> list[Published]:
        if not self.room.is_set():
            self.refused.set()
            raise StoreFull("The disk is full.", hint="Free some space.")
        return super().append(batch)


@pytest.fixture
def full_store(tmp_path: Path) -> Iterator[FullStore]:
    store = FullStore(tmp_path / "full.db")
    yield store
    store.close()


def test_a_full_disk_holds_everything_back_and_loses_nothing(full_store: FullStore) -> None:
    publisher = Publisher(full_store)
    subscription = publisher.subscribe("c", None)
    publisher.publish("c", line(1))
    publisher.publish("c", line(2))
    assert full_store.refused.wait(DEADLINE)
    assert subscription.next(0.01) is None
    full_store.room.set()
    assert events(drain(subscription, 2)) == [line(1), line(2)]
    publisher.close()


def test_what_was_refused_does_not_happen_later(full_store: FullStore) -> None:
    publisher = Publisher(full_store)
    called = threading.Event()
    publisher.publish("c", line(1))
    assert full_store.refused.wait(DEADLINE)
    with pytest.raises(StoreFull, match="The disk is full"):
        publisher.publish_durably("c", line(2), timeout=0.05)
    with pytest.raises(StoreFull):
        publisher.call(called.set, timeout=0.05)
    full_store.room.set()
    publisher.publish_durably("c", line(3))
    assert events(list(full_store.events("c", 0))) == [line(1), line(3)]
    assert not called.is_set()
    publisher.close()


def test_closing_does_not_wait_for_a_full_disk(full_store: FullStore) -> None:
    publisher = Publisher(full_store)
    subscription = publisher.subscribe("c", None)
    publisher.publish("c", line(0))
    assert full_store.refused.wait(DEADLINE)
    for index in range(QUEUE_CAPACITY):
        publisher.publish("c", line(index))
    closer = threading.Thread(target=publisher.close)
    closer.start()
    closer.join(DEADLINE)
    assert not closer.is_alive()
    assert not [one for one in threading.enumerate() if one.name == "publisher"]
    with pytest.raises(Closed):
        # Nothing is shown that a restart would not know.
        subscription.next(0.0)


def test_after_the_end_nobody_waits(store: Store) -> None:
    publisher = Publisher(store)
    publisher.close()
    publisher.close()
    for index in range(QUEUE_CAPACITY + 1):
        publisher.publish("c", line(index))
    with pytest.raises(StoreError, match="shutting down"):
        publisher.publish_durably("c", line(1))
    with pytest.raises(StoreError, match="shutting down"):
        publisher.call(lambda: None)
