"""A kernel client that answers at once, for tests of what stands above it."""

from collections.abc import Callable

from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellStarted,
    DisplayDataOutput,
    ErrorOutput,
    Event,
    Execute,
    InputReply,
    InputRequested,
    Query,
    QueryAnswered,
    StartKernel,
    StreamOutput,
)

# A square of 30 x 30 pixels.
FIGURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAB4AAAAeCAIAAAC0Ujn1AAAAJ0lEQVR42mMQSDhAI8QwavSo0aNGjxo9avSo0aNG"
    "jxo9avSo0eQjAIl5LP3qPtuOAAAAAElFTkSuQmCC"
)


class FakeKernelClient:
    """Runs ``print``-less pseudo code: the code's first word says what happens.

    ``draw`` shows a figure, ``fail`` raises, ``wait`` runs until it is interrupted, ``ask`` asks
    for input, anything else prints the code itself.
    """

    def __init__(self, publish: Callable[[str, Event], None]) -> None:
        self.publish = publish
        self.started: dict[str, StartKernel] = {}
        self.waiting: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.executed: list[Execute] = []
        self.asked: list[Query] = []
        self.answer = QueryAnswered(query_id="", content={"state": "parked"})
        self.on_ensure: Callable[[], None] = lambda: None
        self.on_start: Callable[[StartKernel], None] = lambda start: None

    def ensure_kernel(self, conversation_id: str, start: StartKernel) -> None:
        self.on_ensure()
        self.on_start(start)
        self.started.setdefault(conversation_id, start)

    def execute(self, conversation_id: str, command: Execute) -> None:
        cell = command.cell_id
        self.executed.append(command)
        conversation_id = command.answer_to or conversation_id
        self.publish(
            conversation_id,
            CellStarted(
                cell_id=cell, turn_id=command.turn_id, code=command.code,
                origin=command.origin, after_cell=command.after_cell,
            ),
        )  # fmt: skip
        match command.code.split(maxsplit=1)[:1]:
            case ["fail"]:
                error = ErrorOutput(ename="KeyError", evalue="'x'", traceback=["KeyError: 'x'"])
                self.publish(conversation_id, CellOutput(cell_id=cell, output=error))
                self._finish(conversation_id, cell, "error")
            case ["draw"]:
                data = {"image/png": FIGURE, "text/plain": "<Figure>"}
                self.publish(
                    conversation_id, CellOutput(cell_id=cell, output=DisplayDataOutput(data=data))
                )
                self._finish(conversation_id, cell, "ok")
            case ["wait"]:
                self.waiting[conversation_id] = cell
            case ["ask"]:
                self.waiting[conversation_id] = cell
                self.publish(conversation_id, InputRequested(cell_id=cell, prompt="name? "))
            case _:
                output = StreamOutput(name="stdout", text=command.code + "\n")
                self.publish(conversation_id, CellOutput(cell_id=cell, output=output))
                self._finish(conversation_id, cell, "ok")

    def interrupt(self, conversation_id: str) -> None:
        self.calls.append(("interrupt", conversation_id))
        cell = self.waiting.pop(conversation_id, None)
        if cell is not None:
            self._finish(conversation_id, cell, "interrupted")

    def restart(self, conversation_id: str) -> None:
        self.calls.append(("restart", conversation_id))

    def stop(self, conversation_id: str) -> None:
        self.calls.append(("stop", conversation_id))

    def set_network(self, conversation_id: str, network: bool) -> bool:
        self.calls.append(("network", str(network)))
        start = self.started.get(conversation_id)
        if start is None:
            return False
        self.started[conversation_id] = start.model_copy(update={"network": network})
        return True

    def input_reply(self, conversation_id: str, reply: InputReply) -> None:
        self.calls.append(("input", reply.text))
        self.waiting.pop(conversation_id)
        self._finish(conversation_id, reply.cell_id, "ok")

    def query(self, conversation_id: str, query: Query) -> QueryAnswered:
        self.asked.append(query)
        return self.answer.model_copy(update={"query_id": query.query_id})

    def running(self, conversation_id: str) -> bool:
        return conversation_id in self.waiting

    def has_cell(self, conversation_id: str, cell_id: str) -> bool:
        return self.waiting.get(conversation_id) == cell_id

    def _finish(self, conversation_id: str, cell: str, status: str) -> None:
        event = CellFinished.model_validate({"cell_id": cell, "status": status})
        self.publish(conversation_id, event)
