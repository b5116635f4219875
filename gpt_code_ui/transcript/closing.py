"""What has to be stored when the product starts after it was ended in the middle."""

from typing import assert_never

from gpt_code_ui.protocol import (
    CellFinished,
    CellPart,
    CellStarted,
    ErrorBody,
    Event,
    Part,
    ReasoningDone,
    ReasoningPart,
    ReplayFinished,
    TextDone,
    TextPart,
    ToolFinished,
    ToolPart,
    Transcript,
    TurnFinished,
)


def closing_events(transcript: Transcript, reason: str) -> list[Event]:
    """What has to be stored to close everything that is open, in order; ``reason`` is shown.

    Texts stay as far as they came, code that never ran is told so, and the turn can be tried again.
    """
    events: list[Event] = []
    for turn in transcript.turns:
        for part in turn.parts:
            events += _closing_part(part, turn.turn_id, reason)
        if turn.status == "running" and turn.turn_id is not None:
            error = ErrorBody(code="interrupted", message=reason, retryable=True)
            events.append(TurnFinished(turn_id=turn.turn_id, status="failed", error=error))
    if replay := transcript.replay:
        events.append(
            ReplayFinished(
                replay_id=replay.replay_id,
                purpose=replay.purpose,
                status="stopped",
                cells=replay.done,
                reason=reason,
            )
        )
    return events


def _closing_part(part: Part, turn_id: str | None, reason: str) -> list[Event]:
    match part:
        case TextPart():
            closed: Event = TextDone(part_id=part.part_id, turn_id=turn_id or "", text=part.text)
            return [] if part.done else [closed]
        case ReasoningPart():
            closed = ReasoningDone(part_id=part.part_id, turn_id=turn_id or "", text=part.text)
            return [] if part.done else [closed]
        case CellPart(status="writing" | "waiting"):
            started = CellStarted(
                cell_id=part.cell_id, turn_id=turn_id, code=part.code, origin=part.origin
            )
            return [started, CellFinished(cell_id=part.cell_id, status="not_run", reason=reason)]
        case CellPart(status="running"):
            return [CellFinished(cell_id=part.cell_id, status="interrupted", reason=reason)]
        case ToolPart(status="running" | "waiting"):
            return [ToolFinished(call_id=part.call_id, status="error", content=reason)]
        case CellPart() | ToolPart():
            return []
        case _:
            assert_never(part)
