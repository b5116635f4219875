"""One writer for everything that happens: number, store, fan out, in that order.

``publish`` only queues. A single thread takes what has gathered, stores it in one transaction and
hands it to whoever listens, so a client never sees an event that a restart could take back.
Deltas are for the screen: they pass through unnumbered, and the part they belong to is kept open
here, so that a late listener gets it whole and a crash loses at most half a second of it (R1).
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from gpt_code_ui.cell_watch import CellWatch
from gpt_code_ui.errors import GptCodeError, StoreError
from gpt_code_ui.open_parts import OpenParts
from gpt_code_ui.protocol import Delta, Event, Published
from gpt_code_ui.store import Store
from gpt_code_ui.subscription import Subscription

log = logging.getLogger(__name__)
T = TypeVar("T")

QUEUE_CAPACITY = 4096
BATCH = 512
CHECKPOINT_S = 0.5
RETRY_S = 1.0


def now() -> str:
    """The present, in UTC, as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class _Item:
    """Something for the writer: an event, or a call to be made on its thread."""

    conversation_id: str = ""
    at: str = ""
    event: Event | None = None
    call: Callable[[], object] | None = None
    done: "Future[object] | None" = None
    stop: bool = False

    @property
    def is_given_up(self) -> bool:
        """Whether its sender was told that it failed: it must not happen any more."""
        return self.done is not None and self.done.cancelled()


class Publisher:
    """Owns the writer thread, the store's writing side and the listeners."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[_Item] = queue.Queue(QUEUE_CAPACITY)
        self._lock = threading.Lock()
        # Held over one attempt to store, so that a sender gives up before it or after it.
        self._storing = threading.Lock()
        self._seq = store.last_seq()
        self._open = OpenParts(CHECKPOINT_S)
        self._subscriptions: set[Subscription] = set()
        self._watches: set[CellWatch] = set()
        self._closing = threading.Event()
        self.trouble: GptCodeError | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    # --- for every thread ----------------------------------------------------------------------

    def publish(self, conversation_id: str, event: Event, *, at: str | None = None) -> None:
        """Queue an event. Blocks only while the writer is thousands of events behind.

        ``at`` is for what happened earlier, in another conversation.
        After ``close`` it is dropped: what it would have ended is closed at the next start.
        """
        if not self._closing.is_set():
            self._queue.put(_Item(conversation_id, at or now(), event))

    def publish_durably(
        self, conversation_id: str, event: Event, timeout: float = 10.0
    ) -> Published:
        """Queue an event and wait until it is stored.

        Raises StoreError, and then the event will not happen later either.
        """
        published = self._wait(_Item(conversation_id, now(), event, done=Future()), timeout)
        assert isinstance(published, Published)
        return published

    def call(self, function: Callable[[], T], timeout: float = 10.0) -> T:
        """Run ``function`` on the writer thread, between two batches, and return its result.

        Raises StoreError when its turn does not come in time; it is not called later then.
        """
        return self._wait(_Item(call=function, done=Future()), timeout)  # type: ignore[return-value]

    def subscribe(self, conversation_id: str | None, after: int | None) -> Subscription:
        """Listen. ``after`` None: all that is stored of one conversation, or live for all."""
        subscription = Subscription(self._store, conversation_id, self._snapshot, self._forget)
        subscription.start(after)
        return subscription

    def watch(self, conversation_id: str, cell_id: str) -> CellWatch:
        """Follow one cell to its end; ``unwatch`` when done."""
        watch = CellWatch(conversation_id, cell_id)
        with self._lock:
            self._watches.add(watch)
            if self._closing.is_set():
                watch.release()
        return watch

    def unwatch(self, watch: CellWatch) -> None:
        """Stop following a cell."""
        with self._lock:
            self._watches.discard(watch)

    @property
    def seq(self) -> int:
        """The last number given out."""
        return self._seq

    def open_parts(self, conversation_id: str | None) -> tuple[int, list[Published]]:
        """The last number given out, and the open parts at that moment as whole deltas."""
        with self._lock:
            return self._seq, self._open_deltas(conversation_id)

    def close(self, timeout: float = 5.0) -> None:
        """Store what is queued, if the disk lets us, then end every subscription and watch."""
        with self._lock:
            if self._closing.is_set():
                return
            # From here on a disk that refuses is not waited for, so the queue does get empty.
            self._closing.set()
        with suppress(queue.Full):
            self._queue.put(_Item(stop=True), timeout=timeout)
            self._thread.join(timeout)
        with self._lock:
            subscriptions, watches = list(self._subscriptions), list(self._watches)
        for subscription in subscriptions:
            subscription.close()
        for watch in watches:
            watch.release()

    # --- listeners -----------------------------------------------------------------------------

    def _snapshot(self, subscription: Subscription) -> tuple[int, list[Published]]:
        with self._lock:
            self._subscriptions.add(subscription)
            subscription.forget_live()
            return self._seq, self._open_deltas(subscription.conversation_id)

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)

    def _open_deltas(self, conversation_id: str | None) -> list[Published]:
        at = now()
        return [
            Published(conversation_id=owner, at=at, event=delta)
            for owner, delta in self._open.deltas(conversation_id)
        ]

    def _wait(self, item: _Item, timeout: float) -> object:
        """Queue the item and wait for what it gives; after ``timeout`` seconds, take it back."""
        done = item.done
        assert done is not None
        if self._closing.is_set():
            raise StoreError("GPT-Code UI is shutting down.")
        self._queue.put(item)
        with suppress(TimeoutError):
            return done.result(timeout)
        with self._storing:
            taken_back = done.cancel()
        if not taken_back:
            return done.result(timeout)
        raise self.trouble or StoreError("The event log did not answer in time.")

    # --- the writer thread ---------------------------------------------------------------------

    def _run(self) -> None:
        running = True
        while running:
            batch = self._take()
            running = not any(item.stop for item in batch)
            start = 0
            for index, item in enumerate(batch):
                if item.call is not None:
                    self._write(batch[start:index])
                    self._call(item)
                    start = index + 1
            self._write(batch[start:])

    def _write(self, items: list[_Item]) -> None:
        """Write a run of events. The thread must outlive a bug in one of them."""
        try:
            self._write_events([item for item in items if item.event is not None])
        except Exception as error:
            log.exception("events were lost")
            _fail(items, error)

    def _take(self) -> list[_Item]:
        """What has gathered. Wakes by itself only while a part waits for its checkpoint."""
        try:
            batch = [self._queue.get(timeout=CHECKPOINT_S if self._open.unsaved else None)]
        except queue.Empty:
            self._checkpoint()
            return []
        try:
            while len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _call(self, item: _Item) -> None:
        assert item.call is not None and item.done is not None
        if not item.done.set_running_or_notify_cancel():
            return
        try:
            item.done.set_result(item.call())
        except Exception as error:  # noqa: BLE001 - it belongs to the caller
            item.done.set_exception(error)

    def _write_events(self, items: list[_Item]) -> None:
        if not items:
            return
        items, published = self._number(items)
        with self._lock:
            for one in published:
                self._seq = one.seq or self._seq
                self._open.follow(one)
                for watch in self._watches:
                    if watch.conversation_id == one.conversation_id:
                        watch.apply(one)
            for subscription in self._subscriptions:
                subscription.offer(published)
        for item, one in zip(items, published, strict=True):
            if item.done is not None:
                item.done.set_result(one)
        self._checkpoint()

    def _number(self, items: list[_Item]) -> tuple[list[_Item], list[Published]]:
        """Store the batch: the items that happened, and what became of them.

        While the disk refuses, all wait. Only what its sender gave up is left out, and at the end
        of the process what could not be stored: nobody may see what a restart would not know.
        """
        while True:
            with self._storing:
                items = [item for item in items if not item.is_given_up]
                try:
                    published = self._store_now(items)
                except StoreError as error:
                    self._complain(error)
                else:
                    self.trouble = None
                    for item in items:
                        if item.done is not None:
                            item.done.set_running_or_notify_cancel()
                    return items, published
            if self._closing.wait(RETRY_S):
                assert self.trouble is not None
                _fail(items, self.trouble)
                return [], []

    def _store_now(self, items: list[_Item]) -> list[Published]:
        stored: list[tuple[str, str, Event]] = [
            (item.conversation_id, item.at, item.event)
            for item in items
            if item.event is not None and not isinstance(item.event, Delta)
        ]
        numbered = iter(self._store.append(stored) if stored else ())
        return [
            Published(conversation_id=item.conversation_id, at=item.at, event=item.event)
            if isinstance(item.event, Delta)
            else next(numbered)
            for item in items
        ]

    def _complain(self, error: StoreError) -> None:
        if self.trouble is None:
            log.error("the event log cannot be written: %s", error)
        self.trouble = error

    def _checkpoint(self) -> None:
        """Save what has grown, each part at most every half second."""
        with self._lock:
            due = self._open.take_due()
        for conversation_id, part_id, delta in due:
            try:
                self._store.checkpoint_part(conversation_id, part_id, delta.type, delta.text)
            except StoreError as error:
                log.warning("an open part was not saved: %s", error)


def _fail(items: list[_Item], error: Exception) -> None:
    """Tell those who wait for these items that they did not happen."""
    for item in items:
        if item.done is not None and not item.done.done():
            item.done.set_exception(error)
