"""The promises of a bus, to which the real one and its fake are held alike."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gpt_code_ui.bus import MAX_MESSAGE_BYTES, QUEUE_BYTES, Bus, memory_pair
from gpt_code_ui.bus.reliable import MESSAGE_OVERHEAD
from gpt_code_ui.errors import BusError, MessageTooLarge, QueueFull
from tests.bus_parts import DEADLINE_S, BreakingLine, Ear, connect, listen, numbered


class Pipe:
    """Two ends of the kind under test, with their ears. ``web`` alone until ``join``."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.web_ear, self.kernel_ear = Ear(), Ear()
        self._cleanup = ExitStack()
        self._kind = kind
        self._folder = folder
        self.web: Bus
        self.kernel: Bus
        if kind == "memory":
            self._memory = memory_pair(
                (self.web_ear.receive, self.web_ear.peer),
                (self.kernel_ear.receive, self.kernel_ear.peer),
            )
            self.web, self.kernel = self._memory
            self.web_ear.wait_peer(True)
            self.kernel_ear.wait_peer(True)
            self._memory[0].sever()
            self.web_ear.wait_peer(False)
            self.kernel_ear.wait_peer(False)
            self.web_ear.peers.clear()
            self.kernel_ear.peers.clear()
            self._cleanup.callback(self.kernel.close)
        else:
            self._snake = listen(self.web_ear, str(folder / "bus") if kind == "unix" else None)
            self.web = self._snake
        self._cleanup.callback(self.web.close)

    def join(self) -> "Pipe":
        """Bring in the kernel's end and wait until both know."""
        if self._kind == "memory":
            self._memory[0].mend()
        else:
            self._connect(self._snake.address)
        return self._joined()

    def join_over_breaks(self, budgets: list[int]) -> None:
        """As ``join``, over a connection that breaks after so many bytes, again and again."""
        if self._kind == "memory":
            self._memory[0].mend()
            for _ in budgets:
                self._memory[0].sever()
                self._memory[1].mend()
            return
        address = str(self._folder / "line") if self._kind == "unix" else "127.0.0.1:0"
        line = self._cleanup.enter_context(BreakingLine(self._snake.address, address, budgets))
        self._connect(line.address)

    def close(self) -> None:
        self._cleanup.close()

    def _connect(self, address: str) -> None:
        self.kernel = connect(self.kernel_ear, address)
        self._cleanup.callback(self.kernel.close)

    def _joined(self) -> "Pipe":
        self.web_ear.wait_peer(True)
        self.kernel_ear.wait_peer(True)
        return self


@pytest.fixture(params=["memory", "unix", "tcp"])
def pipe(request: pytest.FixtureRequest, run_dir: Path) -> Iterator[Pipe]:
    pipe = Pipe(request.param, run_dir)
    yield pipe
    pipe.close()


def test_carries_messages_both_ways_in_order(pipe: Pipe) -> None:
    pipe.join()
    messages = [*numbered(3000), b"", bytes(70_000), os.urandom(10_000_000), b"end"]
    for body in messages:
        pipe.web.send(body)
    for body in reversed(messages):
        pipe.kernel.send(body)
    assert pipe.kernel_ear.wait_messages(len(messages)) == messages
    assert pipe.web_ear.wait_messages(len(messages)) == messages[::-1]


def test_tells_both_ends_of_the_peer(pipe: Pipe) -> None:
    assert not pipe.web.connected
    pipe.join()
    assert pipe.web.connected
    assert pipe.kernel.connected
    pipe.kernel.close()
    pipe.web_ear.wait_peer(False)
    assert not pipe.web.connected
    assert pipe.web_ear.peers == pipe.kernel_ear.peers == [True, False]


def test_keeps_what_is_sent_before_the_peer_comes(pipe: Pipe) -> None:
    for body in numbered(500):
        pipe.web.send(body)
    pipe.join()
    assert pipe.kernel_ear.wait_messages(500) == numbered(500)


def test_a_message_has_a_largest_size(pipe: Pipe) -> None:
    pipe.join()
    largest = bytes(MAX_MESSAGE_BYTES)
    with pytest.raises(MessageTooLarge):
        pipe.web.send(largest + b"x")
    pipe.web.send(largest)
    assert pipe.kernel_ear.wait_messages(1) == [largest]


def test_an_absent_peer_bounds_what_can_be_sent(pipe: Pipe) -> None:
    body = bytes(200)
    accepted = itertools.count()
    with pytest.raises(QueueFull):
        while True:
            pipe.web.send(body, timeout=0)
            next(accepted)
    assert next(accepted) == QUEUE_BYTES // (200 + MESSAGE_OVERHEAD)
    began = time.monotonic()
    with pytest.raises(QueueFull):
        pipe.web.send(body, timeout=0.2)
    assert 0.2 <= time.monotonic() - began < 2


def test_a_full_queue_goes_on_when_the_peer_takes_some(pipe: Pipe) -> None:
    large = bytes(MAX_MESSAGE_BYTES - MESSAGE_OVERHEAD)
    pipe.web.send(large)
    pipe.web.send(large)
    sender = threading.Thread(target=pipe.web.send, args=(b"late",), kwargs={"timeout": DEADLINE_S})
    sender.start()
    pipe.join()
    assert pipe.kernel_ear.wait_messages(3) == [large, large, b"late"]
    sender.join(DEADLINE_S)


def test_every_thread_keeps_its_order(pipe: Pipe) -> None:
    pipe.join()

    def send_all(name: str) -> None:
        for n in range(500):
            pipe.web.send(f"{name}{n}".encode())

    senders = [threading.Thread(target=send_all, args=(name,)) for name in "abcd"]
    for sender in senders:
        sender.start()
    received = pipe.kernel_ear.wait_messages(2000)
    for name in "abcd":
        mine = [body for body in received if body.startswith(name.encode())]
        assert mine == [f"{name}{n}".encode() for n in range(500)]
    for sender in senders:
        sender.join(DEADLINE_S)


def test_a_handler_that_raises_does_no_harm(pipe: Pipe, caplog: pytest.LogCaptureFixture) -> None:
    def fail(body: bytes) -> None:
        raise RuntimeError(body.decode())

    pipe.kernel_ear.answer = fail
    pipe.join()
    for body in numbered(3):
        pipe.web.send(body)
    assert pipe.kernel_ear.wait_messages(3) == numbered(3)
    pipe.kernel.send(b"alive")
    assert pipe.web_ear.wait_messages(1) == [b"alive"]
    assert "RuntimeError: 00000000" in caplog.text


def test_a_handler_may_send_but_never_waits(pipe: Pipe) -> None:
    refused = threading.Event()

    def answer(body: bytes) -> None:
        pipe.kernel.send(body * 2)
        try:
            for _ in range(3):  # two of them fill the queue
                pipe.kernel.send(bytes(MAX_MESSAGE_BYTES - MESSAGE_OVERHEAD), timeout=DEADLINE_S)
        except QueueFull:
            refused.set()

    pipe.kernel_ear.answer = answer
    pipe.join()
    began = time.monotonic()
    pipe.web.send(b"ab")
    assert refused.wait(DEADLINE_S)
    assert time.monotonic() - began < DEADLINE_S / 2
    assert pipe.web_ear.wait_messages(1)[0] == b"abab"


def test_a_broken_connection_loses_and_repeats_nothing(pipe: Pipe) -> None:
    there = [b"%08d" % n + os.urandom(100_000) for n in range(500)]  # 50 MB
    back = numbered(2000, 300)
    pipe.join_over_breaks([100, 400, 3_000_000, 700_001, 20_000_000])

    def send_there() -> None:
        for body in there:
            pipe.web.send(body)

    sender = threading.Thread(target=send_there)
    sender.start()
    for body in back:
        pipe.kernel.send(body)
    assert pipe.kernel_ear.wait_messages(500) == there
    assert pipe.web_ear.wait_messages(2000) == back
    sender.join(DEADLINE_S)
    pipe.web.send(b"last")
    assert pipe.kernel_ear.wait_messages(501)[500:] == [b"last"]
    for ear in (pipe.web_ear, pipe.kernel_ear):
        assert ear.peers == [n % 2 == 0 for n in range(len(ear.peers))]
        assert len(ear.peers) >= 3


def test_close_ends_everything_within_a_second(pipe: Pipe) -> None:
    before = {thread.name for thread in threading.enumerate()}
    assert any(name.startswith("bus-web") for name in before)
    pipe.join()
    began = time.monotonic()
    pipe.web.close()
    pipe.web.close()
    assert time.monotonic() - began < 1
    assert not any(thread.name.startswith("bus-web") for thread in threading.enumerate())
    with pytest.raises(BusError, match="closed"):
        pipe.web.send(b"too late")
    assert pipe.web_ear.peers == [True, False]


def test_close_with_no_peer_and_much_to_send_does_not_wait(pipe: Pipe) -> None:
    pipe.web.send(bytes(1_000_000))
    began = time.monotonic()
    pipe.web.close()
    assert time.monotonic() - began < 0.2


def test_close_lets_what_was_sent_arrive(pipe: Pipe) -> None:
    pipe.join()
    for body in numbered(200, 1000):
        pipe.web.send(body)
    pipe.web.close()
    assert pipe.kernel_ear.wait_messages(200) == numbered(200, 1000)


def test_close_releases_a_sender_that_waits(pipe: Pipe) -> None:
    errors: list[BaseException] = []
    large = bytes(MAX_MESSAGE_BYTES - MESSAGE_OVERHEAD)

    def send_three() -> None:
        try:
            for _ in range(3):
                pipe.web.send(large, timeout=DEADLINE_S)
        except BusError as exc:
            errors.append(exc)

    sender = threading.Thread(target=send_three)
    sender.start()
    pipe.web.close()
    sender.join(DEADLINE_S)
    assert [type(error) for error in errors] == [BusError]


def test_close_from_a_callback(pipe: Pipe) -> None:
    pipe.kernel_ear.answer = lambda body: pipe.kernel.close()
    pipe.join()
    pipe.web.send(b"go away")
    pipe.web_ear.wait_peer(False)
    pipe.kernel.close()
