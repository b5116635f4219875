"""The parts that are being written now, kept whole for whoever comes late or after a crash (R1).

A delta opens a part or makes it grow, the event that closes it takes it out. Not thread-safe: its
owner holds a lock around every call.
"""

import time
from dataclasses import dataclass

from gpt_code_ui.protocol import (
    ApprovalRequested,
    CellStarted,
    CodeDelta,
    Delta,
    Event,
    Published,
    ReasoningDelta,
    ReasoningDone,
    TextDelta,
    TextDone,
)


@dataclass
class _OpenPart:
    """What is known of a part that is still being written."""

    delta: Delta
    chunks: list[str]
    length: int
    saved_at: float
    dirty: bool = False

    def grow(self, delta: Delta) -> None:
        if delta.offset < self.length:
            self.chunks = ["".join(self.chunks)[: delta.offset]]
        self.chunks.append(delta.text)
        self.length = delta.offset + len(delta.text)
        self.dirty = True

    def whole(self) -> Delta:
        text = "".join(self.chunks)
        self.chunks = [text]
        return self.delta.model_copy(update={"offset": 0, "text": text})


class OpenParts:
    """All open parts, by conversation. A part is due for saving every ``save_every_s`` seconds."""

    def __init__(self, save_every_s: float) -> None:
        self._save_every_s = save_every_s
        self._parts: dict[str, dict[str, _OpenPart]] = {}

    def follow(self, published: Published) -> None:
        """Take an event that has just happened."""
        event, key = published.event, _part_of(published.event)
        if key is None:
            return
        parts = self._parts.setdefault(published.conversation_id, {})
        if isinstance(event, Delta):
            if key not in parts:
                parts[key] = _OpenPart(event, [], 0, saved_at=time.monotonic())
            parts[key].grow(event)
            return
        parts.pop(key, None)
        if not parts:
            del self._parts[published.conversation_id]

    def deltas(self, conversation_id: str | None) -> list[tuple[str, Delta]]:
        """Conversation and whole text of every open part, of one conversation or of all."""
        return [
            (owner, part.whole())
            for owner, parts in self._parts.items()
            if conversation_id in (None, owner)
            for part in parts.values()
        ]

    @property
    def unsaved(self) -> bool:
        """Whether a part has grown since it was saved."""
        return any(part.dirty for parts in self._parts.values() for part in parts.values())

    def take_due(self) -> list[tuple[str, str, Delta]]:
        """Conversation, part and whole text of what is to be saved now; it counts as saved."""
        moment = time.monotonic()
        due = []
        for conversation_id, parts in self._parts.items():
            for key, part in parts.items():
                if part.dirty and moment - part.saved_at >= self._save_every_s:
                    part.dirty, part.saved_at = False, moment
                    due.append((conversation_id, key, part.whole()))
        return due


def _part_of(event: Event) -> str | None:
    """The part or cell that a delta opens and a closing event closes."""
    match event:
        case TextDelta() | TextDone() | ReasoningDelta() | ReasoningDone():
            return event.part_id
        case CodeDelta() | CellStarted() | ApprovalRequested():
            return event.cell_id
        case _:
            return None
