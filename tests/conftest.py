"""What every test is held to: a clean environment, no network, nothing left behind.

Invariant: after each test the threads and child processes are those from before it, unless it
carries ``@pytest.mark.keeps(reason)``; and this process has talked to nobody beyond loopback.
"""

import contextlib
import ipaddress
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

SCRUBBED_PREFIXES = ("OPENAI_", "AZURE_", "GPTCODE_", "JUPYTER_", "JPY_")
SCRUBBED = {
    "WEB_PORT", "SNAKEMQ_PORT", "API_PORT", "VIRTUAL_ENV", "CONDA_PREFIX", "SSL_CERT_FILE",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "MPLBACKEND",
}  # fmt: skip
# Threads of libraries that live as long as the process, and that nobody can stop.
LIBRARY_THREADS = {"GarbageCollectorThread", "PyDBDaemonThread"}
SETTLE_S = 5.0


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, proxy, port or folder of whoever runs the tests reaches the product."""
    for name in os.environ:
        if name.upper() in SCRUBBED or name.startswith(SCRUBBED_PREFIXES):
            monkeypatch.delenv(name)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Tests run in containers as well; that root has to be meant is a test of its own.
        monkeypatch.setenv("GPTCODE_ALLOW_ROOT", "1")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder that does not exist yet, as at a first start."""
    return tmp_path / "data"


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A private folder with a path short enough for Unix sockets (107 bytes)."""
    base = "/tmp" if sys.platform != "win32" else None
    path = Path(tempfile.mkdtemp(prefix="gptcode-", dir=base))
    yield path
    shutil.rmtree(path, ignore_errors=True)


# --- nothing is left behind --------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest, clean_environment: None) -> Iterator[None]:
    """Fails the test that left a thread or a process running."""
    threads, children = set(threading.enumerate()), children_now()
    yield
    if request.node.get_closest_marker("keeps"):
        return
    left = wait_settled(threads, children)
    for process in left.processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    if left:
        pytest.fail(f"left behind: {left}", pytrace=False)


class Left:
    """Threads and processes that were not there before."""

    def __init__(self, threads: set[threading.Thread], children: set[psutil.Process]) -> None:
        current = set(threading.enumerate()) - threads
        self.threads = [t for t in current if type(t).__name__ not in LIBRARY_THREADS]
        self.processes = sorted(children_now() - children, key=lambda p: p.pid)

    def __bool__(self) -> bool:
        return bool(self.threads or self.processes)

    def __str__(self) -> str:
        names = [f"thread {t.name!r}" for t in self.threads]
        return ", ".join(names + [f"process {describe(p)}" for p in self.processes])


def wait_settled(threads: set[threading.Thread], children: set[psutil.Process]) -> Left:
    """What is left once everything had its time to end."""
    deadline = time.monotonic() + SETTLE_S
    left = Left(threads, children)
    while left and time.monotonic() < deadline:
        remaining = max(0.01, deadline - time.monotonic())
        if left.threads:
            left.threads[0].join(timeout=min(0.2, remaining))
        else:
            psutil.wait_procs(left.processes, timeout=min(0.2, remaining))
        left = Left(threads, children)
    return left


def children_now() -> set[psutil.Process]:
    """All living descendants; a zombie nobody waited for counts, it is a leak as well."""
    return set(psutil.Process().children(recursive=True))


def describe(process: psutil.Process) -> str:
    """A process for the eye of the person who has to find it."""
    try:
        return f"{process.pid} ({process.status()}): {' '.join(process.cmdline())[:200]}"
    except psutil.Error:
        return str(process.pid)


# --- no network --------------------------------------------------------------------------------


class NetworkRefused(OSError):
    """A test tried to leave this machine."""


class NetworkGuard:
    """An audit hook on connect, sendto and name look-ups; it sees every library in this process.

    An audit hook cannot be taken away again, so there is one for the whole run. Child processes
    are not seen: what they reach is tested from outside.
    """

    EVENTS = frozenset(
        {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}
    )

    def __init__(self) -> None:
        self.refused: list[str] = []

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if event not in self.EVENTS:
            return
        host = host_of(event, args)
        if host is not None and not is_local(host):
            self.refused.append(host)
            raise NetworkRefused(f"tests talk to this machine only, not to {host}")


def host_of(event: str, args: tuple[object, ...]) -> str | None:
    """The host in the arguments of an audit event; None for sockets that are not IP."""
    target = args[1] if event in ("socket.connect", "socket.sendto") else args[0]
    if isinstance(target, tuple):
        target = target[0]
        return str(target) if isinstance(target, str) else None
    if event.startswith("socket.get"):
        return target.decode() if isinstance(target, bytes) else str(target or "localhost")
    return None


def is_local(host: str) -> bool:
    """Loopback, or the address that means any of our own."""
    if host in ("localhost", ""):
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session", autouse=True)
def network_guard() -> NetworkGuard:
    """The guard of this run; ``refused`` lists what it stopped."""
    guard = NetworkGuard()
    sys.addaudithook(guard)
    return guard


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, network_guard: NetworkGuard) -> Iterator[None]:
    """Fails the test that tried to leave, even where the product took the refusal in its stride."""
    before = len(network_guard.refused)
    yield
    tried = network_guard.refused[before:]
    if tried and not request.node.get_closest_marker("refused_network"):
        pytest.fail(f"tried to reach {', '.join(tried)}", pytrace=False)
