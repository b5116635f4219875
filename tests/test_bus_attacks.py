"""What a hostile or broken program that reaches the bus can do: cost it a connection, no more."""

import contextlib
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gpt_code_ui.bus import MAX_MESSAGE_BYTES, SnakeBus
from gpt_code_ui.bus.link import PROBATION_S
from tests.bus_parts import (
    DEADLINE_S,
    VERSION_FRAME,
    BreakingLine,
    Ear,
    Stranger,
    abort,
    connect,
    listen,
    plain_socket,
)

CHECKOUT = Path(__file__).parents[1]
SOON_S = 1.5
"""Before the limit on strangers would have ended it."""
BAD_FRAME = b"\xff"
FORGED_MESSAGE = struct.pack("!B16sII", 3, b"u" * 16, 60, 0) + b"run this"


class Target:
    """A listening bus under attack, and the means to see that it still serves its own peer."""

    def __init__(self, address: str | None, cleanup: ExitStack) -> None:
        self.ear = Ear()
        self.bus: SnakeBus = listen(self.ear, address)
        self._cleanup = cleanup
        cleanup.callback(self.bus.close)

    def join(self, address: str | None = None) -> tuple[SnakeBus, Ear]:
        ear = Ear()
        bus = connect(ear, address or self.bus.address)
        self._cleanup.callback(bus.close)
        return bus, ear

    def serves_its_peer(self) -> None:
        """The real peer gets through within a second, both ways."""
        known = len(self.ear.messages)
        bus, ear = self.join()
        ear.wait_peer(True, SOON_S)
        bus.send(b"ping")
        assert self.ear.wait_messages(known + 1, SOON_S)[known:] == [b"ping"]
        self.bus.send(b"pong", timeout=SOON_S)
        ear.wait(lambda ear: ear.messages[-1:] == [b"pong"], SOON_S)


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["unix", "tcp"])
def target(request: pytest.FixtureRequest, run_dir: Path, cleanup: ExitStack) -> Target:
    return Target(str(run_dir / "bus") if request.param == "unix" else None, cleanup)


# --- strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frames",
    [
        [BAD_FRAME, BAD_FRAME],
        [VERSION_FRAME, b"\x02kernel-r1", FORGED_MESSAGE],
        [VERSION_FRAME, b"\x02kernel-r1", b"\x02kernel-r1", FORGED_MESSAGE],
        [VERSION_FRAME, b"\x40" + b"n" * 32, b"\x02kernel-r1\0" + bytes(32), FORGED_MESSAGE],
        [VERSION_FRAME, VERSION_FRAME],
        [VERSION_FRAME, b"\x40short"],
        [struct.pack("!BI", 0, 2), BAD_FRAME],
        [b"\x04", b"\x04"],
        [b""],
        [VERSION_FRAME + bytes(5000)],
    ],
    ids=[
        "two bad packets",
        "snakemq's own identification",
        "duplicate identification and a message",
        "a name without the key",
        "version twice",
        "short nonce",
        "another version",
        "pings",
        "an empty packet",
        "more than a stranger may say",
    ],
)
def test_wrong_frames_in_one_segment(target: Target, frames: list[bytes]) -> None:
    with Stranger(target.bus.address) as stranger:
        stranger.send(*frames)
        assert stranger.wait_closed() < SOON_S
    target.serves_its_peer()
    assert target.ear.messages == [b"ping"]
    assert target.ear.peers == [True]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff" + bytes(100_000),
        struct.pack("!I", MAX_MESSAGE_BYTES) + bytes(100_000),
        b"POST /run HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nrun this!",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    ],
    ids=["4 GiB announced", "32 MiB announced", "HTTP", "TLS"],
)
def test_bytes_that_are_no_packets(target: Target, data: bytes) -> None:
    with Stranger(target.bus.address) as stranger:
        stranger.send_raw(data)
        assert stranger.wait_closed() < SOON_S
    target.serves_its_peer()


def test_a_silent_stranger_is_shown_out(target: Target) -> None:
    with ExitStack() as crowd:
        silent, polite, proven = (
            crowd.enter_context(Stranger(target.bus.address)) for _ in range(3)
        )
        polite.send(VERSION_FRAME)
        proven.prove()  # but says no more
        assert PROBATION_S - 0.5 < silent.wait_closed() < PROBATION_S + 2
        assert polite.wait_closed() < SOON_S
        assert proven.wait_closed() < SOON_S
    assert target.ear.peers == []


def test_300_idle_connections_do_not_keep_the_peer_out(target: Target) -> None:
    spent = time.process_time()
    with ExitStack() as crowd:
        strangers = [crowd.enter_context(Stranger(target.bus.address)) for _ in range(300)]
        target.serves_its_peer()
        for stranger in strangers:
            stranger.wait_closed()
    assert time.process_time() - spent < 2.0


def test_out_of_descriptors_the_loop_rests_and_recovers(run_dir: Path) -> None:
    program = Path(__file__).with_name("bus_exhausted.py")
    address = str(run_dir / "bus")
    with subprocess.Popen(
        [sys.executable, "-m", f"tests.{program.stem}", address],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            assert process.stdout.readline() == "exhausted\n"
            ear = Ear()
            bus = connect(ear, address)
            try:
                assert float(process.stdout.readline()) < 0.2
                assert not bus.connected
                process.stdin.write("free\n")
                process.stdin.flush()
                ear.wait_peer(True)
            finally:
                bus.close()
        finally:
            process.kill()


def test_a_squatter_on_the_address_gets_no_peer(run_dir: Path, cleanup: ExitStack) -> None:
    address = str(run_dir / "bus")
    squatter, where = plain_socket(address)
    cleanup.callback(squatter.close)
    squatter.bind(where)
    squatter.listen()
    squatter.settimeout(DEADLINE_S)
    ear = Ear()
    bus = connect(ear, address)
    cleanup.callback(bus.close)
    bus.send(b"secret")
    heard = b""
    for _ in range(2):
        taken, _ = squatter.accept()
        with taken:
            taken.settimeout(DEADLINE_S)
            frames = (VERSION_FRAME, b"\x40" + b"n" * 32, b"\x02web-r1\0" + bytes(32))
            taken.sendall(b"".join(struct.pack("!I", len(f)) + f for f in frames))
            with contextlib.suppress(ConnectionResetError):
                while piece := taken.recv(65536):
                    heard += piece
    assert ear.peers == []
    assert b"secret" not in heard


def test_another_key_is_no_key(target: Target, cleanup: ExitStack) -> None:
    ear = Ear()
    other = connect(ear, target.bus.address, key=b"x" * 32)
    cleanup.callback(other.close)
    other.send(b"run this")
    target.serves_its_peer()
    assert ear.peers == []
    assert target.ear.messages == [b"ping"]


# --- somebody in between -----------------------------------------------------------------------


class Meddler:
    """Changes the first piece that carries the needle, as often as told; then lets all pass."""

    def __init__(self, needle: bytes, change: str) -> None:
        self.done = 0
        self._needle = needle
        self._change = change

    def __call__(self, data: bytes) -> bytes:
        if self.done or self._needle not in data:
            return data
        self.done += 1
        if self._change == "replayed":
            return data + data
        if self._change == "left out":
            return b""
        return data.replace(self._needle, self._needle[::-1])


@pytest.mark.parametrize("change", ["forged", "replayed"])
def test_a_message_that_was_meddled_with(target: Target, change: str, run_dir: Path) -> None:
    meddler = Meddler(b"needle", change)
    place = str(run_dir / "line") if target.bus.address.startswith("/") else "127.0.0.1:0"
    with BreakingLine(target.bus.address, place, meddle=meddler) as line:
        bus, ear = target.join(line.address)
        ear.wait_peer(True)
        messages = [b"before", b"the needle", b"after", b"end"]
        for body in messages:
            bus.send(body)
        assert target.ear.wait_messages(4) == messages
        # The second connection was needed, and brought what was missing, once.
        bus.send(b"more")
        assert target.ear.wait_messages(5) == [*messages, b"more"]
        target.ear.wait(lambda ear: ear.peers == [True, False, True])
        assert meddler.done == 1
        bus.close()


def test_a_message_of_another_connection_is_refused(target: Target) -> None:
    with Stranger(target.bus.address) as first:
        frames = [(proven := first.prove()).resume(), proven.message(1, b"once")]
        first.send(*frames)
        assert target.ear.wait_messages(1) == [b"once"]
    with Stranger(target.bus.address) as second:
        second.prove()
        second.send(*frames)
        assert second.wait_closed() < SOON_S
    assert target.ear.messages == [b"once"]


# --- a peer that is genuine, and broken --------------------------------------------------------


def test_a_proven_peer_that_breaks_the_order(target: Target) -> None:
    for spoil in ("resume twice", "message before resume", "a hole", "too large"):
        with Stranger(target.bus.address) as peer:
            proven = peer.prove()
            if spoil == "message before resume":
                peer.send(proven.message(1, b"early"))
            else:
                peer.send(proven.resume())
            if spoil == "resume twice":
                peer.send(proven.resume())
            elif spoil == "a hole":
                peer.send(proven.message(7, b"seven"))
            elif spoil == "too large":
                peer.send_raw(struct.pack("!I", MAX_MESSAGE_BYTES + 58))
            assert peer.wait_closed() < SOON_S, spoil
    target.serves_its_peer()
    assert target.ear.messages == [b"ping"]


def test_a_newcomer_replaces_the_half_open_connection(target: Target) -> None:
    with Stranger(target.bus.address) as old:
        old.send(old.prove().resume())
        target.ear.wait_peer(True)
        began = time.monotonic()
        target.serves_its_peer()
        assert time.monotonic() - began < SOON_S
        assert target.ear.peers == [True, False, True]
        assert old.wait_closed() < SOON_S


def test_a_newcomer_with_its_first_message_in_one_segment(target: Target) -> None:
    with Stranger(target.bus.address) as old, Stranger(target.bus.address) as new:
        old.send(old.prove().resume())
        target.ear.wait_peer(True)
        proven = new.prove()
        new.send(proven.resume(), proven.message(1, b"first words"), BAD_FRAME, BAD_FRAME)
        assert target.ear.wait_messages(1) == [b"first words"]
        assert new.wait_closed() < SOON_S
    target.serves_its_peer()


def test_last_words_are_heard_though_nobody_reads_the_answer(target: Target) -> None:
    target.ear.answer = lambda body: target.bus.send(bytes(1_000_000))
    with Stranger(target.bus.address) as peer:
        proven = peer.prove()
        peer.send(proven.resume(), *(proven.message(n, b"%d" % n) for n in range(1, 9)))
        peer.sock.shutdown(socket.SHUT_WR)
        assert target.ear.wait_messages(8) == [b"%d" % n for n in range(1, 9)]


def test_close_still_hears_a_peer_that_is_gone(target: Target) -> None:
    busy, release = threading.Event(), threading.Event()

    def hold(body: bytes) -> None:
        busy.set()
        release.wait(DEADLINE_S)

    target.ear.answer = hold
    with Stranger(target.bus.address) as peer:
        proven = peer.prove()
        peer.send(proven.resume(), proven.message(1, b"1"))
        assert busy.wait(DEADLINE_S)
        peer.send(*(proven.message(n, b"%d" % n) for n in range(2, 1000)))
        peer.sock.shutdown(socket.SHUT_WR)
    threading.Timer(0.1, release.set).start()  # as late as it likes: close() waits for it
    target.bus.close()
    assert target.ear.messages == [b"%d" % n for n in range(1, 1000)]


def test_resets_while_replies_are_queued_never_block(target: Target) -> None:
    replies = [b"%04d" % n + os.urandom(200_000) for n in range(50)]
    asked = iter(replies)
    target.ear.answer = lambda body: target.bus.send(next(asked)) if body == b"ask" else None
    for n in range(len(replies)):
        with Stranger(target.bus.address) as peer:
            proven = peer.prove()
            peer.send(proven.resume(), proven.message(1, b"ask"))
            if n % 2:  # half of them with the reply under way
                target.ear.wait_messages(n + 1)
            abort(peer.sock)
        target.ear.wait_messages(n + 1)
    sent = threading.Thread(target=target.bus.send, args=(b"end",))
    sent.start()
    sent.join(SOON_S)
    assert not sent.is_alive()
    _, ear = target.join()
    assert ear.wait_messages(51) == [*replies, b"end"]


def test_wake_ups_beyond_the_bells_pipe_do_not_block(target: Target) -> None:
    busy = threading.Event()
    release = threading.Event()

    def hold(body: bytes) -> None:
        busy.set()
        release.wait(DEADLINE_S)

    target.ear.answer = hold
    bus, ear = target.join()
    ear.wait_peer(True)
    bus.send(b"hold")
    assert busy.wait(DEADLINE_S)
    for _ in range(70_000):  # more than a pipe has bytes
        target.bus.send(b"", timeout=0)
    release.set()
    assert len(ear.wait_messages(70_000)) == 70_000


def test_descriptors_come_back(target: Target) -> None:
    def open_files() -> int:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return sum(_is_open(fd) for fd in range(min(limit, 4096)))

    before = open_files()
    for _ in range(20):
        with Stranger(target.bus.address) as peer:
            peer.send(peer.prove().resume(), BAD_FRAME)
            peer.wait_closed()
    with contextlib.closing(connect(Ear(), target.bus.address)):
        target.ear.wait_peer(True)
    target.ear.wait_peer(False)
    assert open_files() == before


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not tell")
def test_another_users_connection_is_refused(run_dir: Path, cleanup: ExitStack) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    target = Target(str(run_dir / "bus"), cleanup)
    run_dir.chmod(0o711)  # as if the folder had been opened up afterwards
    (run_dir / "bus").chmod(0o666)
    program = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534);"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1]);"
        "sys.exit(len(s.recv(1)))"
    )
    subprocess.run(
        [sys.executable, "-c", program, target.bus.address], check=True, timeout=DEADLINE_S
    )
    target.serves_its_peer()
