"""A listener's side of the event stream: what is stored, then what is open, then what happens.

The three join without gap or repeat: the listener is registered and the last number noted in one
step, and the stored part is read up to exactly that number. A listener that falls too far behind
is not waited for; it starts over from the last number it has seen.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from gpt_code_ui.protocol import (
    CellOutput,
    CellOutputUpdated,
    CodeDelta,
    Delta,
    DisplayDataOutput,
    ExecuteResultOutput,
    Published,
    ReasoningDelta,
    StreamOutput,
    TextDelta,
)
from gpt_code_ui.store import Store

LIVE_CAPACITY = 4096
LIVE_CHARS = 32 * 1024**2
CHUNK = 256
CHUNK_CHARS = 4 * 1024**2
MERGED_MAX = 64 * 1024


class Closed(Exception):
    """The stream has ended: the listener or the server closed it."""


Snapshot = Callable[["Subscription"], tuple[int, list[Published]]]


class Subscription:
    """One listener. ``next`` belongs to a single thread; ``offer`` and ``close`` to any."""

    def __init__(
        self,
        store: Store,
        conversation_id: str | None,
        snapshot: Snapshot,
        forget: Callable[["Subscription"], None],
    ) -> None:
        self.conversation_id = conversation_id
        self._store = store
        self._snapshot = snapshot
        self._forget = forget
        self._ready = threading.Condition()
        self._live: deque[Published] = deque()
        self._live_chars = 0
        self._lagged = False
        self._closed = False
        self._seen = 0
        self._backlog: Iterator[Published] = iter(())

    def start(self, after: int | None) -> None:
        """Register; from here on nothing is missed."""
        upto, open_parts = self._snapshot(self)
        if after is None:
            after = upto if self.conversation_id is None else 0
        self._seen = max(after, 0)
        self._backlog = self._read(self._seen, upto, open_parts)

    def offer(self, batch: Sequence[Published]) -> None:
        """Take what was just published; called by the writer, never blocks."""
        mine = [one for one in batch if self.conversation_id in (None, one.conversation_id)]
        if not mine:
            return
        with self._ready:
            if self._closed:
                return
            self._live_chars += sum(map(weight, mine))
            count = len(self._live) + len(mine)
            # A single event is taken whatever it weighs: it is in memory already.
            if count > LIVE_CAPACITY or (count > 1 and self._live_chars > LIVE_CHARS):
                self._drop_live()
                self._lagged = True
            elif not self._lagged:
                self._live.extend(mine)
            self._ready.notify()

    def forget_live(self) -> None:
        """Drop what is queued: the snapshot being taken, under the writer's lock, has it."""
        with self._ready:
            self._drop_live()
            self._lagged = False

    def next(self, timeout: float) -> list[Published] | None:
        """What comes next, in order; None when ``timeout`` seconds passed. Raises Closed."""
        if self._closed:
            raise Closed
        chunk = self._next_stored()
        if chunk:
            return self._deliver(chunk)
        with self._ready:
            if not self._ready.wait_for(self._something, timeout):
                return None
            if self._closed:
                raise Closed
            lagged = self._lagged
            gathered = list(self._live)
            self._drop_live()
        if lagged:
            upto, open_parts = self._snapshot(self)
            self._backlog = self._read(self._seen, upto, open_parts)
            return self.next(timeout)
        # What was stored between registering and reading the backlog is already delivered.
        fresh = [one for one in gathered if one.seq is None or one.seq > self._seen]
        return self._deliver(list(merge_deltas(fresh))) if fresh else self.next(timeout)

    def close(self) -> None:
        """End the stream; a waiting ``next`` raises Closed."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        self._forget(self)

    def _next_stored(self) -> list[Published]:
        """A bite of what is stored: a client far behind must not cost memory by its distance."""
        chunk: list[Published] = []
        chars = 0
        for one in islice(self._backlog, CHUNK):
            chunk.append(one)
            chars += weight(one)
            if chars > CHUNK_CHARS:
                break
        return chunk

    def _drop_live(self) -> None:
        self._live.clear()
        self._live_chars = 0

    def _something(self) -> bool:
        return self._closed or self._lagged or bool(self._live)

    def _read(self, after: int, upto: int, open_parts: list[Published]) -> Iterator[Published]:
        if after < upto:
            yield from self._store.events(self.conversation_id, after, upto)
        yield from open_parts

    def _deliver(self, chunk: list[Published]) -> list[Published]:
        self._seen = max([self._seen, *(one.seq for one in chunk if one.seq is not None)])
        return chunk


def weight(published: Published) -> int:
    """About how many characters an event holds; only what can be large is counted."""
    event = published.event
    match event:
        case CellOutput(output=StreamOutput(text=text)):
            return len(text)
        case CellOutput(output=DisplayDataOutput() | ExecuteResultOutput() as output):
            return sum(len(value) for value in output.data.values() if isinstance(value, str))
        case CellOutputUpdated():
            return sum(len(value) for value in event.data.values() if isinstance(value, str))
        case TextDelta() | ReasoningDelta() | CodeDelta():
            return len(event.text)
        case _:
            return 0


def merge_deltas(events: Sequence[Published]) -> Iterator[Published]:
    """Join neighbouring deltas of one part, so that a slow reader gets fewer, longer ones."""
    held: Published | None = None
    for one in events:
        joined = _join(held, one) if held is not None else None
        if joined is None:
            if held is not None:
                yield held
            held = one
        else:
            held = joined
    if held is not None:
        yield held


def _join(first: Published, second: Published) -> Published | None:
    a, b = first.event, second.event
    if not isinstance(a, Delta) or not isinstance(b, Delta) or a.type != b.type:
        return None
    if first.conversation_id != second.conversation_id or _key(a) != _key(b):
        return None
    if b.offset != a.offset + len(a.text) or len(a.text) > MERGED_MAX:
        return None
    return first.model_copy(update={"event": a.model_copy(update={"text": a.text + b.text})})


def _key(delta: Delta) -> str:
    match delta:
        case TextDelta() | ReasoningDelta():
            return delta.part_id
        case CodeDelta():
            return delta.cell_id
