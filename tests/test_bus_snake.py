"""The real bus alone: processes that stop and die, its thread, its place, its imports."""

import itertools
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gpt_code_ui.bus import SnakeBus
from gpt_code_ui.bus.link import PROBATION_S
from gpt_code_ui.errors import BusError
from tests.bus_parts import DEADLINE_S, KEY, RUN, BreakingLine, Ear, connect, listen, numbered

CHECKOUT = Path(__file__).parents[1]
Keep = Callable[[SnakeBus], SnakeBus]


@pytest.fixture
def keep() -> Iterator[Keep]:
    """Closes what is handed to it when the test is over, however it ends."""
    with ExitStack() as kept:

        def keep(bus: SnakeBus) -> SnakeBus:
            kept.callback(bus.close)
            return bus

        yield keep


@pytest.fixture(params=["unix", "tcp"])
def address(request: pytest.FixtureRequest, run_dir: Path) -> str | None:
    return str(run_dir / "bus") if request.param == "unix" else None


# --- processes that stop and die ----------------------------------------------------------------


class PeerProcess:
    """The kernel's side in a process of its own: prints the number of each message it gets."""

    def __init__(self, address: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bus_peer", address, RUN, KEY.hex()],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "PeerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def numbers(self, count: int) -> list[int]:
        assert self.process.stdout is not None
        return [int(self.process.stdout.readline()) for _ in range(count)]

    def kill(self) -> list[int]:
        """End it; returns the numbers it had printed and nobody had read."""
        self.process.kill()
        assert self.process.stdout is not None
        return [int(line) for line in self.process.stdout]


def test_a_stopped_peer_is_not_gone(address: str | None, keep: Keep) -> None:
    ear = Ear()
    bus = keep(listen(ear, address))
    with PeerProcess(bus.address) as peer:
        ear.wait_peer(True)
        peer.process.send_signal(signal.SIGSTOP)
        for body in numbered(400, 100_000):
            bus.send(body, timeout=0)
        # Longer than any limit on strangers: an open connection knows none.
        with pytest.raises(AssertionError):
            ear.wait_peer(False, timeout=PROBATION_S + 0.3)
        peer.process.send_signal(signal.SIGCONT)
        assert peer.numbers(400) == list(range(400))
    ear.wait_peer(False)
    assert ear.peers == [True, False]


def test_a_killed_peer_is_noticed_at_once_and_the_next_gets_the_rest(
    address: str | None, keep: Keep
) -> None:
    ear = Ear()
    bus = keep(listen(ear, address))
    with PeerProcess(bus.address) as first:
        ear.wait_peer(True)
        bus.send(numbered(1)[0])
        assert first.numbers(1) == [0]
        ear.wait_messages(1)  # the peer has answered, and with it acknowledged
        first.process.send_signal(signal.SIGSTOP)
        for body in numbered(501, 100_000)[1:]:
            bus.send(body)
        killed = time.monotonic()
        first.process.kill()
        ear.wait_peer(False)
        assert time.monotonic() - killed < 1
    with PeerProcess(bus.address) as second:
        assert second.numbers(500) == list(range(1, 501))


def test_lives_that_end_in_a_stream_leave_no_hole(address: str | None, keep: Keep) -> None:
    ear = Ear()
    bus = keep(listen(ear, address))
    stop = threading.Event()

    def stream() -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            bus.send(b"%08d" % n, timeout=DEADLINE_S)

    sender = threading.Thread(target=stream)
    sender.start()
    next_number = 0
    for _ in range(3):
        with PeerProcess(bus.address) as peer:
            numbers = peer.numbers(300) + peer.kill()
        # What a life printed last may not have been acknowledged: the next may get it again.
        assert numbers[0] <= next_number
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        next_number = numbers[-1] + 1
    stop.set()
    sender.join(DEADLINE_S)


# --- its thread, its place, its imports ---------------------------------------------------------


def test_a_loop_that_fails_is_rebuilt(
    address: str | None, keep: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    web_ear, kernel_ear = Ear(), Ear()
    web = keep(listen(web_ear, address))
    kernel = keep(connect(kernel_ear, web.address))
    kernel_ear.wait_peer(True)
    for bus in (web, kernel):
        bus._link.poller.close()  # type: ignore[attr-defined]  # as bad as it can get
        bus.send(b"wakes the loop")
    web.send(b"after")
    assert kernel_ear.wait_messages(2) == [b"wakes the loop", b"after"]
    assert web_ear.wait_messages(1) == [b"wakes the loop"]
    assert caplog.text.count("the bus loop failed and is rebuilt") == 2


def test_a_clock_that_jumps_changes_nothing(
    run_dir: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps = itertools.cycle([0.0, 3600.0, -3600.0])
    real_time = time.time
    monkeypatch.setattr(time, "time", lambda: real_time() + next(jumps))
    web_ear, kernel_ear = Ear(), Ear()
    web = keep(listen(web_ear, str(run_dir / "bus")))
    with BreakingLine(web.address, str(run_dir / "line"), [400, 4000]) as line:
        kernel = keep(connect(kernel_ear, line.address))
        for body in numbered(100, 1000):
            kernel.send(body)
        assert web_ear.wait_messages(100, timeout=2) == numbered(100, 1000)
        assert line.connections == 3
        kernel.close()


def test_the_connector_may_come_first(run_dir: Path, keep: Keep) -> None:
    web_ear, kernel_ear = Ear(), Ear()
    kernel = keep(connect(kernel_ear, str(run_dir / "bus")))
    kernel.send(b"early")
    keep(listen(web_ear, str(run_dir / "bus")))
    assert web_ear.wait_messages(1) == [b"early"]


def test_a_stale_socket_file_is_replaced_and_the_own_one_removed(run_dir: Path, keep: Keep) -> None:
    path = run_dir / "bus"
    first = keep(listen(Ear(), str(path)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first.close()
    assert not path.exists()
    subprocess.run(
        [sys.executable, "-c", f"import socket; socket.socket(1).bind({str(path)!r})"], check=True
    )
    assert path.is_socket()
    listen(Ear(), str(path)).close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: folder.chmod(0o755),
        lambda folder: (folder / "bus").write_text("not a socket"),
        lambda folder: folder.rmdir(),
    ],
    ids=["others may enter", "a file is there", "no folder"],
)
def test_a_place_that_cannot_be_used(run_dir: Path, spoil: Callable[[Path], object]) -> None:
    spoil(run_dir)
    with pytest.raises(BusError):
        listen(Ear(), str(run_dir / "bus"))


@pytest.mark.parametrize("address", ["bus", "10.0.0.1:80", "127.0.0.1:x", "/" + "x" * 200, ""])
def test_an_address_that_cannot_be_one(address: str) -> None:
    with pytest.raises(BusError):
        listen(Ear(), address)
    if not address.startswith("/"):
        with pytest.raises(BusError):
            connect(Ear(), address)


@pytest.mark.parametrize(
    ("run_id", "key"), [("r", b"short"), ("r" * 60, KEY), ("r\0", KEY), ("ж", KEY)]
)
def test_a_run_that_cannot_be_one(run_id: str, key: bytes) -> None:
    ear = Ear()
    with pytest.raises(BusError):
        SnakeBus.listen(
            address=None, run_id=run_id, key=key, on_receive=ear.receive, on_peer=ear.peer
        )


def test_a_port_in_use_is_a_bus_error(keep: Keep) -> None:
    first = keep(listen(Ear(), None))
    with pytest.raises(BusError, match="cannot use"):
        listen(Ear(), first.address)


def test_costs_nothing_while_idle(address: str | None, keep: Keep) -> None:
    web_ear, kernel_ear = Ear(), Ear()
    web = keep(listen(web_ear, address))
    kernel = keep(connect(kernel_ear, web.address))
    web_ear.wait_peer(True)
    kernel_ear.wait_peer(True)
    passes: list[float] = []
    for bus in (web, kernel):
        bus._link.on_loop_pass.add(lambda: passes.append(time.monotonic()))
    web.send(b"x")
    kernel_ear.wait_messages(1)
    with pytest.raises(AssertionError):
        web_ear.wait_peer(False, timeout=0.5)
    # The message, its delayed acknowledgement, and nothing else.
    assert len(passes) < 12


def test_imports_without_a_warning_or_a_pickle(tmp_path: Path) -> None:
    program = (
        "import sys, gpt_code_ui.bus; "
        "sys.exit(any(m == 'snakemq.rpc' or m.startswith('asyncio') for m in sys.modules))"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-X", f"pycache_prefix={tmp_path}", "-c", program],
        check=True,
        timeout=DEADLINE_S,
        cwd=CHECKOUT,
    )
