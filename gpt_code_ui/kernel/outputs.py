"""What a cell printed and showed, on its way to the page: merged, paced and bounded.

Pure: time comes in as seconds of a monotonic clock, events and text for the file go out, so that
tests need neither clock nor disk. Invariant: an event leaves at most every ``1/EVENTS_PER_S`` and
``BYTES_PER_S`` on average, the first at once; text past ``inline_bytes`` waits as a tail, and
whatever is left out is said with its size. All text goes to the file.
"""

import itertools
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from gpt_code_ui.kernel.text import (
    TAIL_BYTES,
    StreamName,
    Tail,
    clean,
    clean_values,
    collapse_returns,
    cut_head,
    shorten,
)
from gpt_code_ui.protocol import (
    CellOutput,
    CellOutputsCleared,
    CellOutputUpdated,
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    Output,
    StreamOutput,
    Truncation,
)

EVENTS_PER_S = 20
BYTES_PER_S = 1_000_000
HELD_NOTICE_S = 2.0
# Past these a cell's displays are counted and no longer sent: a page that holds them would stand.
MAX_DISPLAYS = 500
MAX_DISPLAY_BYTES = 64 * 1024 * 1024
MAX_STREAM_ITEMS = 32
TRACEBACK_BYTES = 64 * 1024


OutputEvent = CellOutput | CellOutputUpdated | CellOutputsCleared


@dataclass(frozen=True)
class OutputLimits:
    """Bytes of text a cell shows inline, of one image inline, and of its file."""

    inline_bytes: int = 256 * 1024
    image_bytes: int = 10 * 1024 * 1024
    file_bytes: int = 2 * 1024**3


@dataclass
class _Stream:
    """Printed text that waits to be sent."""

    name: StreamName
    chunks: list[str]


def _is_stream(item: object) -> bool:
    return isinstance(item, _Stream)


_Item = _Stream | CellOutput | CellOutputUpdated | CellOutputsCleared


class CellOutputs:
    """Collects one cell's outputs; ``take`` gives what may be sent now."""

    def __init__(self, cell_id: str, limits: OutputLimits) -> None:
        self.cell_id = cell_id
        self.limits = limits
        self.bytes_total = 0
        self.lines_total = 0
        self.unwritten = 0  # bytes, roughly, that ``take_text`` would give
        self._pending: deque[_Item] = deque()
        self._file: list[str] = []
        self._inline_left = limits.inline_bytes
        self._tail = Tail()
        self._ends_line = True
        self._next_at = 0.0
        self._notice_at = 0.0
        self._noticed = 0
        self._displays = 0
        self._display_bytes = 0
        self._left_out = 0
        self._clearing = False

    # --- in ------------------------------------------------------------------------------------

    def stream(self, name: StreamName, text: str) -> None:
        """Text was printed."""
        text = clean(text)
        if not text:
            return
        self._about_to_show()
        size = len(text.encode())
        self.bytes_total += size
        self.lines_total += text.count("\n")
        self._keep(text, size)
        if size > self._inline_left:
            head = cut_head(text, self._inline_left)
            self._inline_left = 0
            text, held = head, text[len(head) :]
            self._tail.add(name, held)
        else:
            self._inline_left -= size
        if text:
            self._append(name, text)

    def show(self, output: Output, display_id: str | None = None) -> None:
        """A display, a result or an error came."""
        if isinstance(output, StreamOutput):
            self.stream(output.name, output.text)
            return
        match output:
            case ErrorOutput():
                output = self._bounded_error(output)
            case DisplayDataOutput() | ExecuteResultOutput():
                data = self._bounded_data(output.data)
                output = output.model_copy(
                    update={"data": data, "metadata": clean_values(output.metadata)}
                )
            case _:
                assert_never(output)
        self._about_to_show()
        event = CellOutput(cell_id=self.cell_id, output=output, display_id=display_id)
        self._push_display(event, output_bytes(output))

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """An output that may stand in any cell shows something else from now on."""
        event = CellOutputUpdated(
            display_id=display_id,
            data=self._bounded_data(data, keep_text=False),
            metadata=clean_values(metadata),
        )
        for i, item in enumerate(self._pending):
            if isinstance(item, CellOutputUpdated) and item.display_id == display_id:
                self._pending[i] = event
                return
        self._pending.append(event)

    def clear(self, wait: bool) -> None:
        """``clear_output``: at once, or when something else is shown."""
        if wait:
            self._clearing = True
            return
        self._forget_shown()
        self._pending.append(CellOutputsCleared(cell_id=self.cell_id))

    # --- out -----------------------------------------------------------------------------------

    @property
    def due(self) -> float | None:
        """When ``take`` will have something, in the clock's seconds; None if nothing waits."""
        if self._pending:
            return self._next_at
        if self._tail.size and self.bytes_total > self._noticed:
            return max(self._next_at, self._notice_at)
        return None

    def take(self, now: float) -> list[OutputEvent]:
        """At most one event, and a ``cell_outputs_cleared`` that goes before it."""
        if now < self._next_at:
            return []
        events: list[OutputEvent] = []
        while self._pending and (not events or isinstance(events[-1], CellOutputsCleared)):
            events.append(self._pop())
        if not events and self._tail.size and now >= self._notice_at:
            events.append(self._notice(now))
        self._pace(now, events)
        return events

    def drain(self, now: float) -> list[OutputEvent]:
        """All that may be sent at all, whatever the pace: something else is about to be said."""
        events: list[OutputEvent] = []
        while self._pending:
            events.append(self._pop())
        self._pace(now, events)
        return events

    def finish(self, now: float) -> list[OutputEvent]:
        """All that is left, the tail of held text last. Output that comes later starts anew."""
        events: list[OutputEvent] = [*self.drain(now), *self._tail_events()]
        if self._left_out:
            note = f"… {self._left_out:,} more outputs left out …\n"
            events.append(self._stream_event("stderr", note))
            self._left_out = 0
        self._inline_left = max(self._inline_left, TAIL_BYTES)
        return events

    def take_text(self) -> list[str]:
        """What is to be appended to the cell's file."""
        text, self._file = self._file, []
        self.unwritten = 0
        return text

    # --- inside --------------------------------------------------------------------------------

    def _append(self, name: StreamName, text: str) -> None:
        """Add to the last item of this name, out of order only where too many wait."""
        run = list(
            itertools.takewhile(
                _is_stream, itertools.islice(reversed(self._pending), MAX_STREAM_ITEMS)
            )
        )
        near = run[:1] if len(run) < MAX_STREAM_ITEMS else run
        for item in near:
            if isinstance(item, _Stream) and item.name == name:
                item.chunks.append(text)
                return
        self._pending.append(_Stream(name, [text]))

    def _about_to_show(self) -> None:
        if self._clearing:
            self._clearing = False
            self._forget_shown()
            self._pending.append(CellOutputsCleared(cell_id=self.cell_id, wait=True))

    def _forget_shown(self) -> None:
        """What the next clearing would take away anyway need not be sent."""
        kept = [item for item in self._pending if isinstance(item, CellOutputUpdated)]
        self._pending = deque(kept)
        self._tail = Tail()
        self._inline_left = self.limits.inline_bytes
        self._displays = self._display_bytes = self._left_out = 0

    def _push_display(self, event: CellOutput, size: int) -> None:
        if isinstance(event.output, ErrorOutput):
            self._pending.append(event)
            return
        self._displays += 1
        self._display_bytes += size
        if self._displays > MAX_DISPLAYS or self._display_bytes > MAX_DISPLAY_BYTES:
            self._left_out += 1
        else:
            self._pending.append(event)

    def _pop(self) -> OutputEvent:
        item = self._pending.popleft()
        if isinstance(item, _Stream):
            return self._stream_event(item.name, collapse_returns("".join(item.chunks)))
        return item

    def _stream_event(self, name: StreamName, text: str, *, whole: bool = True) -> CellOutput:
        if text:
            self._ends_line = text.endswith("\n")
        return CellOutput(
            cell_id=self.cell_id,
            output=StreamOutput(name=name, text=text),
            truncated=None if whole else self._totals(),
        )

    def _totals(self) -> Truncation:
        return Truncation(bytes_total=self.bytes_total, lines_total=self.lines_total)

    def _notice(self, now: float) -> CellOutput:
        self._notice_at = now + HELD_NOTICE_S
        self._noticed = self.bytes_total
        return self._stream_event(self._tail.name, "", whole=False)

    def _tail_events(self) -> list[CellOutput]:
        tail, self._tail = self._tail, Tail()
        events = []
        left_bytes, left_lines = tail.left_out()
        if left_bytes:
            marker = f"… {left_bytes:,} bytes ({left_lines:,} lines) left out …\n"
            marker = marker if self._ends_line else f"\n{marker}"
            events.append(self._stream_event(tail.name, marker, whole=False))
        for name, text in tail.pieces():
            events.append(self._stream_event(name, text, whole=not left_bytes))
        return events

    def _pace(self, now: float, events: Iterable[OutputEvent]) -> None:
        for event in events:
            cost = max(1 / EVENTS_PER_S, event_bytes(event) / BYTES_PER_S)
            self._next_at = max(self._next_at, now) + cost

    # --- what is too large ---------------------------------------------------------------------

    def _bounded_data(self, data: dict[str, Any], *, keep_text: bool = True) -> dict[str, Any]:
        bounded = {str(kind): clean_values(value) for kind, value in data.items()}
        text = bounded.get("text/plain")
        if isinstance(text, str):
            if keep_text:
                self._to_file(text)
            bounded["text/plain"] = shorten(text, self.limits.inline_bytes)
        notes = []
        for kind, value in bounded.items():
            size = value_bytes(kind, value)
            if kind != "text/plain" and size > self.limits.image_bytes:
                notes.append((kind, size))
        for kind, _ in notes:
            del bounded[kind]
        if notes:
            said = [self._too_large(kind, size) for kind, size in notes]
            bounded["text/plain"] = "\n".join([*said, str(bounded.get("text/plain", ""))]).strip()
        return bounded

    def _too_large(self, kind: str, size: int) -> str:
        limit = self.limits.image_bytes / 1024**2
        return (
            f"[{kind} of {size / 1024**2:.1f} MiB is over the {limit:g} MiB shown inline; "
            "save it to a file to keep it]"
        )

    def _bounded_error(self, error: ErrorOutput) -> ErrorOutput:
        lines = [clean(line) for line in error.traceback]
        self._to_file("\n".join(lines))
        room = TRACEBACK_BYTES // max(1, min(len(lines), 64))
        if len(lines) > 64:
            lines = [*lines[:32], f"… {len(lines) - 64:,} frames left out …", *lines[-32:]]
        return ErrorOutput(
            ename=shorten(clean(error.ename), 1024),
            evalue=shorten(clean(error.evalue), TRACEBACK_BYTES),
            traceback=[shorten(line, max(room, 8192)) for line in lines],
        )

    def _to_file(self, text: str) -> None:
        self._keep(text if text.endswith("\n") else f"{text}\n", len(text))

    def _keep(self, text: str, size: int) -> None:
        self._file.append(text)
        self.unwritten += size


def value_bytes(kind: str, value: Any) -> int:
    """The size of one MIME type's content, base64 counted as what it stands for."""
    if isinstance(value, str):
        textual = kind.startswith("text/") or kind.endswith(("+xml", "javascript"))
        return len(value) if textual else len(value) * 3 // 4
    return len(json.dumps(value, default=str))


def output_bytes(output: Output) -> int:
    """Roughly what an output takes on the wire."""
    if isinstance(output, StreamOutput):
        return len(output.text)
    if isinstance(output, ErrorOutput):
        return sum(map(len, output.traceback)) + len(output.evalue)
    return sum(len(v) if isinstance(v, str) else 64 for v in output.data.values())


def event_bytes(event: OutputEvent) -> int:
    """Roughly what an event takes on the wire."""
    if isinstance(event, CellOutput):
        return output_bytes(event.output)
    if isinstance(event, CellOutputUpdated):
        return sum(len(v) if isinstance(v, str) else 64 for v in event.data.values())
    return 0
