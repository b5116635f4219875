"""Runs what an answer asks for, in its order: cells and other tools, asking first where due.

Every call gets a result or is shown as not run. What fails in a row is counted, and ends the turn
at the limits.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence

from gpt_code_ui.answer import Answer, Call
from gpt_code_ui.arguments import Refused, Understood
from gpt_code_ui.errors import GptCodeError, TurnLimit
from gpt_code_ui.history import FAILED, shown_figures, told_report
from gpt_code_ui.ports import Approver, Decision, Kernel, Limits, Stop, Tool
from gpt_code_ui.protocol import (
    ApprovalRequested,
    ApprovalResolved,
    CellFinished,
    CellPart,
    CellStarted,
    ChatMessage,
    Event,
    Reason,
    ToolFinished,
    ToolMessage,
    ToolStarted,
)
from gpt_code_ui.same_errors import CHANGE_COURSE, Errors
from gpt_code_ui.tool_names import meant

log = logging.getLogger(__name__)

STOPPED = "The turn was stopped before this code ran."
EDITED = "[The person changed this code before it ran. What ran:]\n{code}\n[What came of it:]\n"


class Calls:
    """The calls of one turn."""

    def __init__(
        self, turn_id: str, kernel: Kernel, limits: Limits, stop: Stop, tools: Sequence[Tool],
        approver: Approver, new_id: Callable[[], str], language: str = "python",
    ) -> None:  # fmt: skip
        """``language`` is what the kernel runs."""
        self._turn_id = turn_id
        self._kernel = kernel
        self._limits = limits
        self._stop = stop
        self._tools = tools
        self._approver = approver
        self._new_id = new_id
        self._language = None if language == "python" else language
        self._failures = 0
        self._malformed = 0
        self._call_ids: set[str] = set()
        self._errors = Errors(limits.same_errors)
        self._drew: list[CellPart] = []

    def run(
        self, answer: Answer, offered: Sequence[str]
    ) -> Generator[Event, None, list[ChatMessage]]:
        """Run the calls in order; the results, or what there is of them once a stop is requested.

        ``offered``: the names that the model was given. Raises TurnLimit.
        """
        for call in answer.calls:
            self._name(call)
        results: list[ToolMessage] = []
        self._drew = []
        for call in answer.calls:
            if self._stop.requested:
                return []
            name = meant(call.name, [*offered, *(one.spec.name for one in self._tools)])
            tool = next((one for one in self._tools if one.spec.name == name), None)
            if tool is not None:
                call.name = tool.spec.name
                told = yield from self._run_tool(call, tool)
                if told is None:
                    return []
                results.append(told)
                continue
            code = call.code(offered)
            if isinstance(code, Refused):
                yield from self._refused(call, code.reason)
                self._count(ok=False, malformed=True)
                results.append(ToolMessage(tool_call_id=call.id, text=code.reason, failed=True))
            else:
                told = yield from self._run_cell(call, code)
                if told is None:
                    return []
                results.append(told)
        # After all results: nothing may come between a call and its result.
        return [answer.message(), *results, *shown_figures(self._drew)]

    def _run_tool(self, call: Call, tool: Tool) -> Generator[Event, None, ToolMessage | None]:
        """The call's result; None if the turn was stopped while it was asked about."""
        id, arguments = call.cell_id, call.arguments
        if tool.server is not None:
            reasons = self._approver.about_tool(tool.reasons(arguments))
            decision = yield from self._decide(call, arguments, reasons, tool)
            if not decision.run:
                yield ToolFinished(call_id=id, status="error", content=decision.why)
                return self._not_allowed(call, decision)
        yield ToolStarted(
            call_id=id, turn_id=self._turn_id, server=tool.server, name=tool.spec.name,
            arguments=arguments,
        )  # fmt: skip
        try:
            content, failed = tool.run(arguments, self._stop), False
        except GptCodeError as error:
            content, failed = " ".join(filter(None, (error.message, error.hint))), True
        except Exception:
            log.exception("tool %s failed", tool.spec.name)
            content, failed = "The tool failed.", True
        yield ToolFinished(call_id=id, status="error" if failed else "ok", content=content)
        if failed:
            self._count(ok=False)
        return ToolMessage(tool_call_id=call.id, text=content, failed=failed)

    def _decide(
        self, call: Call, code: str, reasons: list[Reason], tool: Tool | None = None
    ) -> Generator[Event, None, Decision]:
        """Ask, if there is a reason, and wait for the answer."""
        if not reasons:
            return Decision(run=True)
        # From here on the log has the code: who waits for it is told of no more of it.
        self._approver.expect(call.cell_id)
        yield ApprovalRequested(
            cell_id=call.cell_id, turn_id=self._turn_id, code=code, reasons=reasons,
            tool=tool.spec.name if tool else None, server=tool.server if tool else None,
        )  # fmt: skip
        decision = self._approver.wait(call.cell_id, self._stop)
        if decision is None:
            return Decision(run=False, why=STOPPED)
        edited = decision.code is not None and decision.code != code
        yield ApprovalResolved(
            cell_id=call.cell_id, run=decision.run, edited=edited, remember=decision.remember
        )
        return decision

    def _not_allowed(self, call: Call, decision: Decision) -> ToolMessage | None:
        """What the model is told of something that was not allowed."""
        if self._stop.requested:
            return None
        self._count(ok=False)
        return ToolMessage(tool_call_id=call.id, text=f"[not run: {decision.why}]", failed=True)

    def _run_cell(self, call: Call, code: Understood) -> Generator[Event, None, ToolMessage | None]:
        """The cell's report; None if the turn was stopped while it was asked about."""
        decision = yield from self._decide(call, code.code, self._approver.about_code(code.code))
        if not decision.run:
            yield from self.not_run(call, decision.why, code.code)
            return self._not_allowed(call, decision)
        runs = code.code if decision.code is None else decision.code
        cell = self._kernel.run(
            call.cell_id,
            runs,
            self._turn_id,
            self._stop,
            repaired=code.repaired or None,
        )
        call.closed = True
        self._drew.append(cell)
        if not self._stop.requested:
            self._count(ok=cell.status in ("ok", "interrupted"))
        text = told_report(cell, output_bytes=self._limits.output_bytes)
        if not self._stop.requested and self._errors.again(cell):
            text = f"{text}\n{CHANGE_COURSE}"
        if runs != code.code:
            text = EDITED.format(code=runs) + text
        return ToolMessage(tool_call_id=call.id, text=text, failed=cell.status in FAILED)

    def _count(self, *, ok: bool, malformed: bool = False) -> None:
        self._failures = 0 if ok else self._failures + 1
        self._malformed = self._malformed + 1 if malformed else 0
        if self._failures > self._limits.max_repairs:
            raise TurnLimit(
                f"The code failed {self._failures} times in a row, so the turn ended here.",
                hint="Tell the model what to do differently, or choose another model.",
            )
        if self._malformed > self._limits.max_malformed:
            raise TurnLimit(
                f"The model made {self._malformed} calls in a row that cannot be understood.",
                hint="Choose a model that is good at calling tools.",
            )

    def _name(self, call: Call) -> None:
        """Give the call an id that no other call of this turn has."""
        if not call.id or call.id in self._call_ids:
            call.id = f"call_{self._new_id()}"
        self._call_ids.add(call.id)

    def _refused(self, call: Call, reason: str) -> Iterator[Event]:
        """Show a call that cannot be run: as its cell, or without any code as a tool's."""
        if call.shown:
            yield from self.not_run(call, reason)
            return
        call.closed = True
        id = call.cell_id
        yield ToolStarted(
            call_id=id, turn_id=self._turn_id, name=call.name, arguments=call.arguments
        )
        yield ToolFinished(call_id=id, status="error", content=reason)

    def not_run(self, call: Call, reason: str, code: str | None = None) -> Iterator[Event]:
        """Close a cell that shows code, or was about to, as not run."""
        code = code or call.shown
        if call.closed or not code:
            return
        call.closed = True
        yield CellStarted(
            cell_id=call.cell_id, turn_id=self._turn_id, code=code, origin="model",
            language=self._language,
        )  # fmt: skip
        yield CellFinished(cell_id=call.cell_id, status="not_run", reason=reason)
