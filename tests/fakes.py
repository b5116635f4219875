"""A model and a kernel that do what a test tells them, for the ports of the agent."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellPart,
    CellStarted,
    CellStatus,
    ErrorOutput,
    Event,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    Output,
    RequestSent,
    StreamOutput,
    TextChunk,
    ToolCallChunk,
    TranscriptOutput,
)

Step = ModelChunk | Exception | Callable[[Stop], None]


def text(*pieces: str) -> list[Step]:
    """Chunks of text."""
    return [TextChunk(text=piece) for piece in pieces]


def call(code: str, *, index: int = 0, id: str = "", pieces: int = 2) -> list[Step]:
    """A call of execute_code, its arguments cut into ``pieces``."""
    return raw_call(json.dumps({"code": code}), index=index, id=id, pieces=pieces)


def raw_call(
    arguments: str,
    *,
    name: str = "execute_code",
    index: int = 0,
    id: str = "",
    pieces: int = 1,
) -> list[Step]:
    """A call of any tool with any arguments, valid or not."""
    size = max(1, -(-len(arguments) // pieces))
    cuts = [arguments[at : at + size] for at in range(0, len(arguments), size)]
    head = ToolCallChunk(index=index, id=id or f"call_{index}", name=name)
    return [head, *(ToolCallChunk(index=index, arguments=cut) for cut in cuts)]


STOP_REASON = FinishChunk(reason="stop")
CALLS_REASON = FinishChunk(reason="tool_calls")


class ScriptedModel:
    """Gives the scripted answers in order; a callable among the steps is called with the stop."""

    def __init__(self, *answers: Sequence[Step]) -> None:
        self._answers = list(answers)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        steps = self._answers[len(self.requests)]
        self.requests.append(request)
        yield RequestSent(url="fake:", body=f"request {len(self.requests)}")
        for step in steps:
            if stop.requested:
                return
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step(stop)
            else:
                yield step


@dataclass
class Result:
    """How a cell of the fake kernel ends."""

    status: CellStatus = "ok"
    outputs: list[Output] = field(default_factory=list)
    during: Callable[[Stop], None] | None = None


def printed(text: str) -> Result:
    """A cell that prints ``text``."""
    return Result(outputs=[StreamOutput(name="stdout", text=text)])


def failed(ename: str, evalue: str) -> Result:
    """A cell that raises."""
    traceback = [f"{ename}: {evalue}"]
    return Result("error", [ErrorOutput(ename=ename, evalue=evalue, traceback=traceback)])


class FakeKernel:
    """Ends each cell as scripted and publishes its events like a real one."""

    def __init__(self, publish: Callable[[Event], None], *results: Result | Exception) -> None:
        self._publish = publish
        self._results = list(results)
        self.codes: list[str] = []

    def run(
        self, cell_id: str, code: str, turn_id: str, stop: Stop, *, repaired: bool | None = None
    ) -> CellPart:
        result = self._results[len(self.codes)]
        self.codes.append(code)
        if isinstance(result, Exception):
            raise result
        self._publish(
            CellStarted(
                cell_id=cell_id, turn_id=turn_id, code=code, origin="model", repaired=repaired
            )
        )
        for output in result.outputs:
            self._publish(CellOutput(cell_id=cell_id, output=output))
        if result.during:
            result.during(stop)
        status: CellStatus = "interrupted" if stop.requested else result.status
        self._publish(CellFinished(cell_id=cell_id, status=status))
        outputs = [TranscriptOutput(output=output) for output in result.outputs]
        return CellPart(cell_id=cell_id, code=code, origin="model", status=status, outputs=outputs)
