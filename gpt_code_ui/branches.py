"""A branch: a conversation that begins as another was before one of its turns.

The events of what is kept are copied with the times they had, so that nothing of the branch looks
newer than it is; which parts are kept is read off the transcript as it stands.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from gpt_code_ui.errors import NotFound
from gpt_code_ui.protocol import (
    CellPart,
    ConversationChanged,
    Event,
    FilesChanged,
    KernelStatus,
    ModelRequestSent,
    ParentLink,
    Part,
    Published,
    ReplayFinished,
    ReplayProgress,
    ToolPart,
    Transcript,
    Turn,
)
from gpt_code_ui.store import copied_id

# What is the other conversation's own, or told anew.
LEFT_BEHIND = (
    KernelStatus, ConversationChanged, ReplayProgress, ReplayFinished,
)  # fmt: skip


def turns_before(transcript: Transcript, before_turn: str) -> tuple[list[Turn], Turn]:
    """The turns that stay, and the one the branch is taken before. Raises NotFound."""
    for place, turn in enumerate(transcript.turns):
        if turn.turn_id == before_turn:
            return transcript.turns[:place], turn
    raise NotFound(f"There is no turn {before_turn} in this conversation.")


def copied(
    log: Iterable[Published], turns: Iterable[Turn], began: str | None, branch: str
) -> Iterator[tuple[str, Event]]:
    """The events of these turns with their times; ``began``: when the turn after them did."""
    ids: set[str | None] = set()
    for turn in turns:
        ids.add(turn.turn_id)
        ids.update(_id(part) for part in turn.parts)
    ids.discard(None)
    for published in log:
        event = published.event
        if isinstance(event, LEFT_BEHIND):
            continue
        if isinstance(event, FilesChanged):
            if began is None or published.at < began:
                yield published.at, event
        elif _owner(event) in ids or event.type == "cell_output_updated":
            if isinstance(event, ModelRequestSent):
                own_id = copied_id(event.request_id, branch)
                event = event.model_copy(update={"request_id": own_id})
            yield published.at, event


def branch_link(transcript: Transcript, before_turn: str, kept: Iterable[Turn]) -> ParentLink:
    """Where the branch comes from; at the question that began a branch, from where that did."""
    asked = sum(turn.turn_id is not None for turn in kept)
    parent = transcript.parent
    if parent is not None and parent.turns == asked:
        return parent
    return ParentLink(conversation_id=transcript.id, before_turn=before_turn, turns=asked)


def moment(at: str | None) -> float:
    """A time of the log in seconds since 1970; the beginning where there is none."""
    return datetime.fromisoformat(at).timestamp() if at else 0.0


def _owner(event: Event) -> str | None:
    for name in ("cell_id", "part_id", "call_id", "turn_id"):
        owner = getattr(event, name, None)
        if owner is not None:
            return str(owner)
    return None


def _id(part: Part) -> str:
    if isinstance(part, CellPart):
        return part.cell_id
    return part.call_id if isinstance(part, ToolPart) else part.part_id
