"""A transcript's values while events still change them; ``freeze`` gives the one on the wire.

Text is kept in pieces, so that appending costs the same however long it is.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from gpt_code_ui.protocol import (
    Approval,
    Attachment,
    CellOrigin,
    CellPart,
    CellStatus,
    Delta,
    ErrorBody,
    FileChanges,
    InputPrompt,
    Output,
    Part,
    ReasoningDelta,
    ReasoningPart,
    StreamOutput,
    TextDelta,
    TextPart,
    ToldFile,
    ToolPart,
    TranscriptOutput,
    Truncation,
    Turn,
    TurnStatus,
    Usage,
)

ProseKind = Literal["text", "reasoning"]


class GrowingText:
    """Text that grows at its end without being copied; offsets count code points."""

    def __init__(self, text: str = "") -> None:
        self._pieces = [text]
        self._length = len(text)

    def splice(self, offset: int, text: str) -> None:
        """Become ``old[:offset] + text``."""
        if offset != self._length:
            self._pieces = [str(self)[:offset]]
            self._length = len(self._pieces[0])
        self._pieces.append(text)
        self._length += len(text)

    def append(self, text: str) -> None:
        self.splice(self._length, text)

    def __str__(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]


@dataclass(eq=False, slots=True)
class GrowingProse:
    """A text or reasoning part; open until its closing event has the whole value."""

    kind: ProseKind
    part_id: str
    text: GrowingText
    done: bool = False
    kept: dict[str, Any] | None = None

    def freeze(self) -> Part:
        text = str(self.text)
        if self.kind == "text":
            return TextPart(part_id=self.part_id, text=text, done=self.done, kept=self.kept)
        return ReasoningPart(part_id=self.part_id, text=text, done=self.done)

    def delta(self) -> Delta:
        value = TextDelta if self.kind == "text" else ReasoningDelta
        return value(part_id=self.part_id, offset=0, text=str(self.text))


@dataclass(eq=False, slots=True)
class GrowingOutput:
    """An output; ``stream`` collects what was appended to a stream's text."""

    output: Output
    display_id: str | None
    stream: GrowingText | None = None

    def freeze(self) -> TranscriptOutput:
        if self.stream is not None and isinstance(self.output, StreamOutput):
            self.output = StreamOutput(name=self.output.name, text=str(self.stream))
        return TranscriptOutput(output=self.output, display_id=self.display_id)


@dataclass(eq=False, slots=True)
class GrowingCell:
    cell_id: str
    turn: "GrowingTurn"
    code: GrowingText
    origin: CellOrigin
    status: Literal["writing", "waiting", "running"] | CellStatus
    outputs: list[GrowingOutput] = field(default_factory=list)
    execution_count: int | None = None
    ms: int | None = None
    started_at: str | None = None
    reason: str | None = None
    files: FileChanges = field(default_factory=FileChanges)
    truncated: Truncation | None = None
    input: InputPrompt | None = None
    clear_pending: bool = False
    repaired: bool | None = None
    approval: Approval | None = None
    not_kept: list[str] | None = None
    edited: bool | None = None
    kept: dict[str, Any] | None = None
    refused_hosts: list[str] | None = None
    language: str | None = None

    def freeze(self) -> CellPart:
        return CellPart(
            cell_id=self.cell_id,
            code=str(self.code),
            origin=self.origin,
            status=self.status,
            outputs=[shown.freeze() for shown in self.outputs],
            execution_count=self.execution_count,
            ms=self.ms,
            started_at=self.started_at,
            reason=self.reason,
            files=self.files,
            truncated=self.truncated,
            input=self.input,
            clear_pending=self.clear_pending,
            repaired=self.repaired,
            approval=self.approval,
            not_kept=self.not_kept,
            edited=self.edited,
            kept=self.kept,
            refused_hosts=self.refused_hosts,
            language=self.language,
        )


@dataclass(eq=False, slots=True)
class GrowingTool:
    """A tool call, whole as it stands."""

    part: ToolPart

    def freeze(self) -> Part:
        return self.part


@dataclass(eq=False, slots=True)
class GrowingTurn:
    turn_id: str | None
    prompt: str
    model: str | None
    started_at: str | None
    status: Literal["running"] | TurnStatus
    attachments: list[Attachment] = field(default_factory=list)
    parts: list[GrowingProse | GrowingCell | GrowingTool] = field(default_factory=list)
    error: ErrorBody | None = None
    usage: Usage | None = None
    told: list[ToldFile] | None = None
    unseen: int | None = None
    imported: str | None = None

    def freeze(self) -> Turn:
        return Turn(
            turn_id=self.turn_id,
            prompt=self.prompt,
            model=self.model,
            attachments=self.attachments,
            parts=[part.freeze() for part in self.parts],
            status=self.status,
            error=self.error,
            started_at=self.started_at,
            usage=self.usage,
            told=self.told,
            unseen=self.unseen,
            imported=self.imported,
        )
