"""Events that meet a full bus."""

import asyncio

from gpt_code_ui.errors import BusError, MessageTooLarge, QueueFull
from gpt_code_ui.kernel.outbox import Outbox
from gpt_code_ui.protocol import (
    CellOutput,
    DisplayDataOutput,
    Event,
    EventMessage,
    KernelStatus,
    StreamOutput,
)


class NarrowBus:
    """A Bus that has room for ``room`` messages of ``limit`` bytes."""

    connected = True

    def __init__(self, room: int, limit: int = 10_000) -> None:
        self.room, self.limit = room, limit
        self.got: list[Event] = []
        self.news = asyncio.Event()

    def send(self, body: bytes, *, timeout: float = 5.0) -> None:
        assert timeout == 0
        if len(body) > self.limit:
            raise MessageTooLarge("It is too large.")
        if self.room <= 0:
            raise QueueFull("full")
        self.room -= 1
        self.got.append(EventMessage.model_validate_json(body).event)
        self.news.set()

    def close(self) -> None:
        raise BusError("closed")


def out(text: str) -> CellOutput:
    return CellOutput(cell_id="c", output=StreamOutput(name="stdout", text=text))


def test_what_does_not_fit_waits_and_keeps_its_order() -> None:
    async def scene() -> None:
        bus = NarrowBus(room=1)
        outbox = Outbox(bus)
        for text in "abc":
            outbox.send("a", out(text))
        assert bus.got == [out("a")]
        assert outbox.congested
        bus.room = 10
        async with asyncio.timeout(5):
            while len(bus.got) < 3:
                bus.news.clear()
                await bus.news.wait()
        outbox.send("a", out("d"))
        assert bus.got == [out(text) for text in "abcd"]
        assert not outbox.congested

    asyncio.run(scene())


def test_a_message_that_is_too_large_becomes_a_note() -> None:
    bus = NarrowBus(room=10, limit=500)
    outbox = Outbox(bus)
    outbox.send("a", out("x" * 1000))
    outbox.send("a", KernelStatus(state="dead", reason="r" * 1000))
    note = DisplayDataOutput(data={"text/plain": "[An output was left out. It is too large.]"})
    assert bus.got == [CellOutput(cell_id="c", output=note)]
