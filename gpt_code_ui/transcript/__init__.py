"""The fold of a conversation's events into what it looks like.

One pure accumulator serves the page, the model's history and the notebook. An event costs the same
however long the conversation is; frozen values are built only when asked for. Deltas are for the
screen: once their parts are closed, having seen them or not makes no difference.
``frontend/src/protocol/fold.ts`` does the same and is held to the same golden logs.
"""

from collections.abc import Iterable
from typing import Any, assert_never

from gpt_code_ui.protocol import (
    ACTIVITY_TYPES,
    Approval,
    ApprovalRequested,
    ApprovalResolved,
    CellDeleted,
    CellFinished,
    CellOutput,
    CellOutputsCleared,
    CellOutputUpdated,
    CellPart,
    CellStarted,
    CodeDelta,
    ConversationChanged,
    ConversationSummary,
    Delta,
    DisplayDataOutput,
    Event,
    ExecuteResultOutput,
    FilesChanged,
    FilesTold,
    InputPrompt,
    InputReplied,
    InputRequested,
    KernelInfo,
    KernelStatus,
    ModelRequestSent,
    NetworkHost,
    NetworkUsed,
    ParentLink,
    Proof,
    Published,
    ReasoningDelta,
    ReasoningDone,
    ReplayFinished,
    ReplayProgress,
    StreamOutput,
    TextDelta,
    TextDone,
    ToolFinished,
    ToolPart,
    ToolStarted,
    Transcript,
    Turn,
    TurnFinished,
    TurnStarted,
    Usage,
)
from gpt_code_ui.transcript.closing import closing_events
from gpt_code_ui.transcript.growing import (
    GrowingCell,
    GrowingOutput,
    GrowingProse,
    GrowingText,
    GrowingTool,
    GrowingTurn,
    ProseKind,
)

# Beyond these a host is counted with all others.
MOST_HOSTS = 200
ALL_OTHERS = "*"

__all__ = ["Fold", "closing_events", "fold"]


class Fold:
    """A conversation so far. Not thread-safe: its owner applies and reads under one lock."""

    def __init__(self, summary: ConversationSummary) -> None:
        self._summary = summary
        self._title, self._model = summary.title, summary.model
        self._pinned, self._deleted = summary.pinned, False
        self._rules: str | None = None
        self._allowed: list[str] | None = None
        self._notebook: str | None = None
        self._kept: dict[str, Any] | None = None
        self._parent: ParentLink | None = summary.parent
        self._replay: ReplayProgress | None = None
        self._proof: Proof | None = None
        self._network = summary.network
        self._hosts: dict[str, NetworkHost] = {}
        self._kernel_name: str | None = None
        self._python: str | None = None
        self._language: str | None = None
        self._updated_at = summary.updated_at
        self._seq = 0
        self._kernel = KernelInfo()
        self._turns: list[GrowingTurn] = []
        self._turn_by_id: dict[str, GrowingTurn] = {}
        self._cells: dict[str, GrowingCell] = {}
        self._prose: dict[str, GrowingProse] = {}
        self._open: dict[str, GrowingProse | GrowingCell] = {}
        self._tools: dict[str, GrowingTool] = {}
        self._displays: dict[str, list[GrowingOutput]] = {}
        self._current: GrowingTurn | None = None

    @property
    def seq(self) -> int:
        """The newest sequence number seen, 0 before the first."""
        return self._seq

    @property
    def title(self) -> str:
        """The title as it is now."""
        return self._title

    @property
    def notebook(self) -> str | None:
        """The file that is kept up to date; None or empty for none."""
        return self._notebook

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked or run yet."""
        return not self._turns

    def apply(self, published: Published) -> None:
        """Take one event; a ``seq`` that was seen is passed over."""
        if published.seq is not None:
            if published.seq <= self._seq:
                return
            self._seq = published.seq
        if published.event.type in ACTIVITY_TYPES:
            self._updated_at = published.at
        self._take(published.event, published.at)

    def transcript(self) -> Transcript:
        """The whole conversation as a frozen value."""
        return Transcript(
            id=self._summary.id,
            seq=self._seq,
            title=self._title,
            model=self._model,
            pinned=self._pinned,
            deleted=self._deleted,
            rules=self._rules,
            allowed=self._allowed,
            notebook=self._notebook,
            kept=self._kept,
            network=self._network,
            hosts=[*self._hosts.values()] or None,
            kernel_name=self._kernel_name,
            python=self._python,
            language=self._language,
            created_at=self._summary.created_at,
            updated_at=self._updated_at,
            kernel=self._kernel,
            turns=[turn.freeze() for turn in self._turns],
            parent=self._parent,
            replay=self._replay,
            proof=self._proof,
        )

    def cell(self, cell_id: str) -> CellPart | None:
        """One cell as a frozen value."""
        cell = self._cells.get(cell_id)
        return cell.freeze() if cell else None

    def turn(self, turn_id: str) -> Turn | None:
        """One turn as a frozen value."""
        turn = self._turn_by_id.get(turn_id)
        return turn.freeze() if turn else None

    @property
    def _foreign(self) -> str | None:
        """What code is in that has not reached the kernel, where that is not Python."""
        return None if self._language == "python" else self._language

    def open_parts(self) -> list[Delta]:
        """What is being written, each whole (offset 0): what a new subscriber has to be told."""
        return [
            CodeDelta(cell_id=part.cell_id, offset=0, text=str(part.code))
            if isinstance(part, GrowingCell)
            else part.delta()
            for part in self._open.values()
        ]

    def _take(self, event: Event, at: str) -> None:
        match event:
            case TextDelta() | ReasoningDelta():
                self._write_prose(event)
            case CodeDelta():
                self._write_code(event)
            case CellOutput():
                self._show(event)
            case TextDone() | ReasoningDone():
                self._close_prose(event)
            case CellStarted():
                self._start_cell(event, at)
            case CellFinished():
                self._finish_cell(event)
            case CellDeleted():
                self._delete_cell(event)
            case CellOutputUpdated():
                self._update_displays(event)
            case CellOutputsCleared():
                self._clear(event)
            case InputRequested() | InputReplied():
                self._ask(event)
            case ToolStarted():
                self._start_tool(event)
            case ToolFinished():
                self._finish_tool(event)
            case ApprovalRequested():
                self._request_approval(event)
            case ApprovalResolved():
                self._resolve_approval(event)
            case KernelStatus():
                self._kernel = KernelInfo(**event.model_dump(exclude={"type"}))
            case TurnStarted():
                self._start_turn(event, at)
            case TurnFinished():
                self._finish_turn(event)
            case Usage():
                if turn := self._turn_by_id.get(event.turn_id):
                    turn.usage = event
            case FilesTold():
                if turn := self._turn_by_id.get(event.turn_id):
                    turn.told = event.files
            case ConversationChanged():
                self._change(event)
            case ModelRequestSent():
                if event.unseen and (turn := self._turn_by_id.get(event.turn_id)):
                    turn.unseen = event.unseen
            case ReplayProgress():
                self._replay = event
            case ReplayFinished():
                self._finish_replay(event, at)
            case NetworkUsed():
                self._count(event)
            case FilesChanged():
                pass
            case _:
                assert_never(event)

    # --- turns and prose

    def _start_turn(self, event: TurnStarted, at: str) -> None:
        if event.turn_id in self._turn_by_id:
            return
        turn = GrowingTurn(
            event.turn_id, event.prompt, event.model, at, "running", event.attachments,
            imported=event.imported,
        )  # fmt: skip
        self._turns.append(turn)
        self._turn_by_id[event.turn_id] = self._current = turn
        self._model = event.model or self._model

    def _finish_turn(self, event: TurnFinished) -> None:
        turn = self._turn_by_id.get(event.turn_id)
        if turn is None:
            return
        turn.status, turn.error = event.status, event.error
        if self._current is turn:
            self._current = None

    def _write_prose(self, event: TextDelta | ReasoningDelta) -> None:
        part = self._prose.get(event.part_id)
        if part is None:
            if self._current is None:
                return
            kind: ProseKind = "text" if isinstance(event, TextDelta) else "reasoning"
            part = self._add_prose(kind, event.part_id, self._current)
            self._open[event.part_id] = part
        if not part.done:
            part.text.splice(event.offset, event.text)

    def _close_prose(self, event: TextDone | ReasoningDone) -> None:
        part = self._prose.get(event.part_id)
        kind: ProseKind = "text" if isinstance(event, TextDone) else "reasoning"
        if part is None:
            turn = self._turn_by_id.get(event.turn_id)
            if turn is None:
                return
            part = self._add_prose(kind, event.part_id, turn)
        # Text may turn out to have been thinking: the closing event has the last word.
        part.kind, part.text, part.done = kind, GrowingText(event.text), True
        part.kept = event.kept if isinstance(event, TextDone) else None
        self._open.pop(event.part_id, None)

    def _add_prose(self, kind: ProseKind, part_id: str, turn: GrowingTurn) -> GrowingProse:
        part = GrowingProse(kind, part_id, GrowingText())
        turn.parts.append(part)
        self._prose[part_id] = part
        return part

    def _change(self, event: ConversationChanged) -> None:
        self._title = self._title if event.title is None else event.title
        self._model = self._model if event.model is None else event.model
        self._pinned = self._pinned if event.pinned is None else event.pinned
        self._deleted = self._deleted if event.deleted is None else event.deleted
        self._rules = self._rules if event.rules is None else event.rules
        self._allowed = self._allowed if event.allowed is None else event.allowed
        self._notebook = self._notebook if event.notebook is None else event.notebook
        self._kept = self._kept if event.kept is None else event.kept
        self._parent = self._parent if event.parent is None else event.parent
        self._network = self._network if event.network is None else event.network
        if event.kernel_name is not None:
            self._kernel_name = event.kernel_name
        self._python = self._python if event.python is None else event.python
        self._language = self._language if event.language is None else event.language

    def _finish_replay(self, event: ReplayFinished, at: str) -> None:
        self._replay = None
        if event.purpose == "proof" and event.status in ("reproduces", "differs"):
            self._proof = Proof(at=at, result=event)

    def _outdate_proof(self) -> None:
        if self._proof is not None:
            self._proof = self._proof.model_copy(update={"stale": True})

    def _count(self, event: NetworkUsed) -> None:
        for more in event.hosts:
            new = more.host not in self._hosts
            host = ALL_OTHERS if new and len(self._hosts) >= MOST_HOSTS else more.host
            known = self._hosts.get(host, NetworkHost(host=host))
            self._hosts[host] = NetworkHost(
                host=host,
                requests=known.requests + more.requests,
                refused=known.refused + more.refused,
                sent=known.sent + more.sent,
                received=known.received + more.received,
            )

    def _start_tool(self, event: ToolStarted) -> None:
        turn = self._turn_by_id.get(event.turn_id)
        if known := self._tools.get(event.call_id):
            if known.part.status == "waiting":
                known.part = known.part.model_copy(update={"status": "running", "approval": None})
            return
        if turn is None:
            return
        fields = event.model_dump(exclude={"type", "turn_id"})
        tool = self._tools[event.call_id] = GrowingTool(ToolPart(**fields, status="running"))
        turn.parts.append(tool)

    def _finish_tool(self, event: ToolFinished) -> None:
        tool = self._tools.get(event.call_id)
        if tool is not None:
            done = {"status": event.status, "content": event.content, "approval": None}
            tool.part = tool.part.model_copy(update=done)

    # --- asking first

    def _request_approval(self, event: ApprovalRequested) -> None:
        turn = self._turn_by_id.get(event.turn_id)
        approval = Approval(reasons=event.reasons)
        if turn is None or event.cell_id in self._tools:
            return
        if event.tool is not None:
            part = ToolPart(
                call_id=event.cell_id, server=event.server, name=event.tool, arguments=event.code,
                status="waiting", approval=approval,
            )  # fmt: skip
            tool = self._tools[event.cell_id] = GrowingTool(part)
            turn.parts.append(tool)
            return
        known = self._cells.get(event.cell_id)
        if known and known.status != "writing":
            return
        cell = GrowingCell(
            event.cell_id, turn, GrowingText(event.code), "model", "waiting", approval=approval,
            language=self._foreign,
        )  # fmt: skip
        if known:
            turn = known.turn
            turn.parts[turn.parts.index(known)] = cell
        else:
            turn.parts.append(cell)
        self._cells[event.cell_id] = cell
        self._open.pop(event.cell_id, None)

    def _resolve_approval(self, event: ApprovalResolved) -> None:
        tool, cell = self._tools.get(event.cell_id), self._cells.get(event.cell_id)
        approval = tool.part.approval if tool else cell.approval if cell else None
        if approval is None:
            return
        if event.run and event.remember:
            kinds = (reason.kind for reason in approval.reasons if reason.kind)
            self._allowed = [*dict.fromkeys([*(self._allowed or ()), *kinds])]
        if tool:
            tool.part = tool.part.model_copy(update={"approval": None})
        if cell:
            cell.approval, cell.edited = None, event.edited or None

    # --- cells

    def _write_code(self, event: CodeDelta) -> None:
        cell = self._cells.get(event.cell_id)
        if cell is None:
            if self._current is None:
                return
            cell = GrowingCell(
                event.cell_id, self._current, GrowingText(), "model", "writing",
                language=self._foreign,
            )  # fmt: skip
            self._current.parts.append(cell)
            self._cells[event.cell_id] = self._open[event.cell_id] = cell
        if cell.status == "writing":
            cell.code.splice(event.offset, event.text)

    def _start_cell(self, event: CellStarted, at: str) -> None:
        known = self._cells.get(event.cell_id)
        turn = known.turn if known else self._home(event)
        cell = GrowingCell(
            event.cell_id, turn, GrowingText(event.code), event.origin, "running", started_at=at,
            repaired=event.repaired, edited=_is_edited(known, event.code) or None,
            kept=event.kept,
            language=event.language,
        )  # fmt: skip
        self._outdate_proof()
        if known:
            self._forget_outputs(known)
            turn.parts[turn.parts.index(known)] = cell
        else:
            turn.parts.insert(self._place(event, turn), cell)
        self._cells[event.cell_id] = cell
        self._open.pop(event.cell_id, None)

    def _delete_cell(self, event: CellDeleted) -> None:
        cell = self._cells.pop(event.cell_id, None)
        if cell is None:
            return
        self._outdate_proof()
        self._forget_outputs(cell)
        self._open.pop(event.cell_id, None)
        cell.turn.parts.remove(cell)
        if cell.turn.turn_id is None and not cell.turn.parts:
            self._turns.remove(cell.turn)

    def _home(self, event: CellStarted) -> GrowingTurn:
        """The turn a new cell belongs to: its anchor's, its own, or one for the person's cells."""
        if anchor := self._anchor(event):
            return anchor.turn
        if event.turn_id is not None and event.turn_id in self._turn_by_id:
            return self._turn_by_id[event.turn_id]
        if not self._turns or self._turns[-1].turn_id is not None:
            self._turns.append(GrowingTurn(None, "", None, None, "completed"))
        return self._turns[-1]

    def _anchor(self, event: CellStarted) -> GrowingCell | None:
        # A cell still being written is known only to those who saw its deltas, so it is no anchor.
        anchor = self._cells.get(event.after_cell) if event.after_cell else None
        return anchor if anchor and anchor.status != "writing" else None

    def _place(self, event: CellStarted, turn: GrowingTurn) -> int:
        anchor = self._anchor(event)
        return turn.parts.index(anchor) + 1 if anchor else len(turn.parts)

    def _started(self, cell_id: str) -> GrowingCell | None:
        cell = self._cells.get(cell_id)
        return cell if cell and cell.status != "writing" else None

    def _show(self, event: CellOutput) -> None:
        cell = self._started(event.cell_id)
        if cell is None:
            return
        cell.truncated = event.truncated or cell.truncated
        output = event.output
        if isinstance(output, StreamOutput) and not output.text:
            return  # only carries the totals of what is held back
        if cell.clear_pending:
            self._forget_outputs(cell)
        last = cell.outputs[-1] if cell.outputs else None
        if not isinstance(output, StreamOutput):
            self._add_output(cell, GrowingOutput(output, event.display_id))
        elif last and isinstance(last.output, StreamOutput) and last.output.name == output.name:
            assert last.stream is not None
            last.stream.append(output.text)
        else:
            self._add_output(
                cell, GrowingOutput(output, event.display_id, GrowingText(output.text))
            )

    def _add_output(self, cell: GrowingCell, shown: GrowingOutput) -> None:
        cell.outputs.append(shown)
        if shown.display_id is not None:
            self._displays.setdefault(shown.display_id, []).append(shown)

    def _update_displays(self, event: CellOutputUpdated) -> None:
        for shown in self._displays.get(event.display_id, ()):
            if isinstance(shown.output, DisplayDataOutput | ExecuteResultOutput):
                new = {"data": event.data, "metadata": event.metadata}
                shown.output = shown.output.model_copy(update=new)

    def _clear(self, event: CellOutputsCleared) -> None:
        cell = self._started(event.cell_id)
        if cell is None:
            return
        if event.wait:
            cell.clear_pending = True
        else:
            self._forget_outputs(cell)

    def _forget_outputs(self, cell: GrowingCell) -> None:
        for shown in cell.outputs:
            if shown.display_id is not None:
                shows = self._displays[shown.display_id]
                shows.remove(shown)
                if not shows:
                    del self._displays[shown.display_id]
        cell.outputs = []
        cell.clear_pending = False

    def _ask(self, event: InputRequested | InputReplied) -> None:
        cell = self._started(event.cell_id)
        if cell is None:
            return
        if isinstance(event, InputRequested):
            cell.input = InputPrompt(prompt=event.prompt, password=event.password)
        else:
            cell.input = None

    def _finish_cell(self, event: CellFinished) -> None:
        cell = self._started(event.cell_id)
        if cell is None:
            return
        cell.status, cell.execution_count = event.status, event.execution_count
        cell.ms, cell.reason, cell.files = event.ms, event.reason, event.files
        cell.not_kept = event.not_kept
        cell.refused_hosts = event.refused_hosts
        cell.input = cell.approval = None


def _is_edited(known: GrowingCell | None, code: str) -> bool:
    """Whether ``code`` is not what ran in the cell first."""
    if known is None or known.edited:
        return known is not None
    return known.status not in ("writing", "waiting") and str(known.code) != code


def fold(summary: ConversationSummary, events: Iterable[Published]) -> Transcript:
    """The transcript after ``events``."""
    accumulator = Fold(summary)
    for published in events:
        accumulator.apply(published)
    return accumulator.transcript()
