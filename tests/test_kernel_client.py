"""The web side of the kernels, over a bus that writes down what it is given."""

import threading
from collections.abc import Iterator

import pytest

from gpt_code_ui.errors import BusError, MessageTooLarge, QueueFull
from gpt_code_ui.kernel import client as client_module
from gpt_code_ui.kernel.client import NO_MANAGER, KernelClient
from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellStarted,
    Command,
    CommandMessage,
    Event,
    EventMessage,
    Execute,
    InputReply,
    InterruptKernel,
    KernelStatus,
    RestartKernel,
    StartKernel,
    StopKernel,
    StreamOutput,
)
from tests.kernel_fixtures import Recorder

START = StartKernel(workspace="/w", python="/p", output_dir="/o")


class NotedBus:
    """A Bus that keeps what is sent; ``error`` is raised instead."""

    def __init__(self, error: BusError | None = None) -> None:
        self.sent: list[tuple[str, Command]] = []
        self.error = error
        self.connected = True

    def send(self, body: bytes, *, timeout: float = 5.0) -> None:
        if self.error is not None:
            raise self.error
        message = CommandMessage.model_validate_json(body)
        self.sent.append((message.conversation_id, message.command))

    def close(self) -> None:
        self.connected = False

    def of(self, conversation_id: str) -> list[Command]:
        return [command for name, command in self.sent if name == conversation_id]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def client(recorder: Recorder) -> Iterator[KernelClient]:
    client = KernelClient(recorder.publish)
    yield client
    client.close()


@pytest.fixture
def bus(client: KernelClient) -> NotedBus:
    bus = NotedBus()
    client.attach(bus)
    return bus


def cell(cell_id: str) -> Execute:
    return Execute(cell_id=cell_id, code="1", origin="model", turn_id="t", after_cell="before")


def started(cell_id: str) -> CellStarted:
    return CellStarted(cell_id=cell_id, code="1", origin="model", turn_id="t", after_cell="before")


def finished(cell_id: str, status: str, reason: str) -> CellFinished:
    return CellFinished.model_validate({"cell_id": cell_id, "status": status, "reason": reason})


def hear(client: KernelClient, event: Event, conversation_id: str = "a") -> None:
    message = EventMessage(conversation_id=conversation_id, event=event)
    client.on_receive(message.model_dump_json().encode())


# --- with a manager ----------------------------------------------------------------------------


def test_a_kernel_is_started_once_and_before_its_cells(client: KernelClient, bus: NotedBus) -> None:
    client.ensure_kernel("a", START)
    client.ensure_kernel("a", START)
    client.execute("a", cell("c1"))
    assert bus.of("a") == [START, cell("c1")]


def test_another_start_is_sent(client: KernelClient, bus: NotedBus) -> None:
    other = START.model_copy(update={"python": "/other"})
    client.ensure_kernel("a", START)
    client.ensure_kernel("a", other)
    assert bus.of("a") == [START, other]


def test_commands_go_through(client: KernelClient, bus: NotedBus) -> None:
    client.ensure_kernel("a", START)
    reply = InputReply(cell_id="c", text="x")
    client.interrupt("a")
    client.input_reply("a", reply)
    client.restart("a")
    client.stop("a")
    assert bus.of("a") == [START, InterruptKernel(), reply, RestartKernel(), StopKernel()]


def test_a_stopped_kernel_is_started_anew(client: KernelClient, bus: NotedBus) -> None:
    client.ensure_kernel("a", START)
    client.stop("a")
    client.ensure_kernel("a", START)
    assert bus.of("a") == [START, StopKernel(), START]


def test_events_are_published_and_cells_followed(
    client: KernelClient, bus: NotedBus, recorder: Recorder
) -> None:
    client.ensure_kernel("a", START)
    assert not client.running("a")
    client.execute("a", cell("c1"))
    assert client.running("a")
    events: list[Event] = [
        started("c1"),
        CellOutput(cell_id="c1", output=StreamOutput(name="stdout", text="x")),
        CellFinished(cell_id="c1", status="ok"),
    ]
    for event in events:
        hear(client, event)
    assert recorder.of("a") == events
    assert not client.running("a")


def test_what_is_no_event_is_dropped(client: KernelClient, recorder: Recorder) -> None:
    client.on_receive(b"not json")
    client.on_receive(b'{"v": 2, "conversation_id": "a", "event": {}}')
    assert recorder.of("a") == []


def test_commands_for_unknown_conversations_are_nothing(
    client: KernelClient, bus: NotedBus
) -> None:
    client.interrupt("x")
    client.restart("x")
    client.stop("x")
    assert (bus.sent, client.running("x")) == ([], False)


@pytest.mark.parametrize("error", [QueueFull("full"), MessageTooLarge("large")])
def test_a_cell_the_bus_refuses_is_not_run(
    client: KernelClient, recorder: Recorder, error: BusError
) -> None:
    client.attach(NotedBus(error))
    client.execute("a", cell("c1"))
    reason = f"The cell could not be handed to the kernel manager: {error.message}"
    assert recorder.of("a") == [started("c1"), finished("c1", "not_run", reason)]


# --- without one -------------------------------------------------------------------------------


def test_cells_wait_for_a_manager(client: KernelClient) -> None:
    client.ensure_kernel("a", START)
    client.execute("a", cell("c1"))
    client.execute("b", cell("c2"))
    bus = NotedBus()
    client.attach(bus)
    assert bus.sent == [("a", START), ("a", cell("c1")), ("b", cell("c2"))]


def test_a_closed_bus_is_no_manager(client: KernelClient, recorder: Recorder) -> None:
    client.attach(NotedBus(BusError("closed")))
    client.execute("a", cell("c1"))
    client.detach("gone")
    assert recorder.of("a") == []
    bus = NotedBus()
    client.attach(bus)
    assert bus.of("a") == [cell("c1")]


def test_losing_the_manager_ends_every_cell_and_kernel(
    client: KernelClient, bus: NotedBus, recorder: Recorder
) -> None:
    client.ensure_kernel("a", START)
    client.execute("a", cell("c1"))
    client.execute("a", cell("c2"))
    hear(client, KernelStatus(state="busy"))
    hear(client, started("c1"))
    seen = len(recorder.of("a"))
    client.detach("it died")
    client.detach("it died")
    assert recorder.of("a")[seen:] == [
        finished("c1", "died", "it died"),
        started("c2"),
        finished("c2", "not_run", "it died"),
        KernelStatus(state="dead", reason="it died"),
    ]
    assert not client.running("a")


@pytest.mark.parametrize("state", ["dead", "parked"])
def test_a_kernel_that_did_not_live_is_not_told_dead(
    client: KernelClient, bus: NotedBus, recorder: Recorder, state: str
) -> None:
    client.ensure_kernel("a", START)
    hear(client, KernelStatus.model_validate({"state": state}))
    client.detach("it died")
    assert len(recorder.of("a")) == 1


def test_a_new_manager_is_told_of_the_kernel_when_it_is_needed(client: KernelClient) -> None:
    client.attach(NotedBus())
    client.ensure_kernel("a", START)
    client.detach("gone")
    bus = NotedBus()
    client.attach(bus)
    assert bus.sent == []
    client.execute("a", cell("c1"))
    assert bus.of("a") == [START, cell("c1")]


def test_interrupt_drops_cells_that_wait_for_a_manager(
    client: KernelClient, recorder: Recorder
) -> None:
    client.execute("a", cell("c1"))
    client.execute("b", cell("c2"))
    client.interrupt("a")
    assert recorder.of("a") == [
        started("c1"), finished("c1", "not_run", "It was interrupted before it ran."),
    ]  # fmt: skip
    assert client.running("b")


def test_a_cell_does_not_wait_for_ever(
    client: KernelClient, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "WAIT_S", 0.05)
    client.execute("a", cell("c1"))
    end = recorder.wait("a", lambda e: isinstance(e, CellFinished))
    assert end == finished("c1", "not_run", NO_MANAGER)


def test_close_gives_up_what_waits(client: KernelClient, recorder: Recorder) -> None:
    client.execute("a", cell("c1"))
    client.close()
    assert recorder.of("a")[-1] == finished("c1", "not_run", "The server was stopped.")
    assert not [
        t for t in threading.enumerate() if t.name == "kernel-client-timer" and t.is_alive()
    ]
