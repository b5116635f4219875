"""Starts the kernel manager, watches it, starts it again with growing pauses, and stops it.

One thread does all of it and waits on the process, not on a clock. Invariant: each start is a run
of its own (folder, key, name on the bus), and when a run is over nothing of it is left: no
process, no socket, no folder.
"""

import contextlib
import logging
import os
import secrets
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gpt_code_ui.bus import SnakeBus
from gpt_code_ui.errors import BusError
from gpt_code_ui.kernel import warden
from gpt_code_ui.kernel.client import KernelClient
from gpt_code_ui.kernel.sandbox.environment import RUN_MARK, environment
from gpt_code_ui.protocol import CageOptions, LaunchRecord, NetworkOptions

log = logging.getLogger(__name__)
manager_log = logging.getLogger("gpt_code_ui.kernel.manager")

FIRST_PAUSE_S = 0.1
LAST_PAUSE_S = 5.0
SETTLED_S = 10.0
ORPHANS_S = 2.0
KILL_S = 1.0
LINE_BYTES = 64 * 1024
MODULE = "gpt_code_ui.kernel.manager"

State = Literal["starting", "ready", "down", "stopped"]


@dataclass(frozen=True)
class LaunchOptions:
    """What a manager is told: sizes in bytes; ``log`` gets the manager's lines, or logging.

    ``tcp_port`` is where the queue listens on a system without Unix sockets; 0 takes any.
    """

    output_inline_bytes: int = 256 * 1024
    output_file_bytes: int = 2 * 1024**3
    image_inline_bytes: int = 10 * 1024**2
    log_level: str = "INFO"
    tcp_port: int = 0
    cage: CageOptions = field(default_factory=CageOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    log: Callable[[str], None] | None = None


class Supervisor:
    """Owns the manager's process. ``on_state`` is called on the threads that notice a change."""

    def __init__(
        self,
        *,
        run_dir: Path,
        client: KernelClient,
        options: LaunchOptions | None = None,
        on_state: Callable[[State], None] = lambda state: None,
    ) -> None:
        self._run_dir = run_dir
        self._client = client
        self._options = options or LaunchOptions()
        self._on_state = on_state
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="kernel-supervisor", daemon=True)
        self.state: State = "stopped"

    @property
    def manager_pid(self) -> int | None:
        """The manager's process, while there is one."""
        process = self._process
        return process.pid if process is not None else None

    def start(self) -> None:
        """Begin; returns at once. May be called once."""
        warden.become_subreaper()
        self._set_state("starting")
        self._thread.start()

    def stop(self, timeout: float = 4.0) -> None:
        """End the manager and with it every kernel; within ``timeout`` seconds, or by force."""
        self._stopping.set()
        with self._lock:
            process = self._process
            if process is not None:
                close_quietly(process)
        if not self._thread.is_alive():
            return
        self._thread.join(timeout)
        if self._thread.is_alive() and process is not None:
            log.warning("the kernel manager did not end in %g s and is killed", timeout)
            process.kill()
            self._thread.join(ORPHANS_S + KILL_S)

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)

    # --- the thread ----------------------------------------------------------------------------

    def _watch(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._run()
            except (OSError, BusError) as error:
                log.error("the kernel manager could not be started: %s", error)
            if time.monotonic() - began > SETTLED_S:
                pause = FIRST_PAUSE_S
            if not self._stopping.is_set():
                self._set_state("down")
                self._stopping.wait(pause)
                pause = min(LAST_PAUSE_S, pause * 2)
        self._set_state("stopped")

    def _run(self) -> None:
        """One life of a manager, from its folder to the last of its orphans."""
        run_id = secrets.token_hex(4)
        folder = make_folder(self._run_dir, run_id)
        reason = "The kernel manager could not be started."
        bus: SnakeBus | None = None
        try:
            key = secrets.token_bytes(32)
            bus = self._listen(folder, run_id, key)
            process = start_manager(run_id)
            try:
                self._hand_over(process, self._record(folder, run_id, key, bus.address))
                self._relay(process)
                process.wait()
            finally:
                self._let_go(process)
            reason = f"The kernel manager {warden.how_it_ended(process.returncode)}."
            if not self._stopping.is_set():
                log.error(reason)
        finally:
            if bus is not None:
                bus.close()
            self._client.detach(reason)
            end_orphans(run_id)
            warden.remove_tree(str(folder))

    def _listen(self, folder: Path, run_id: str, key: bytes) -> SnakeBus:
        attached = False

        def on_peer(present: bool) -> None:
            nonlocal attached
            if present and not attached:
                attached = True
                self._client.attach(bus)
            self._set_state("ready" if present else "down")

        tcp = f"127.0.0.1:{self._options.tcp_port}"
        address = str(folder / "bus") if hasattr(socket, "AF_UNIX") else tcp
        bus = SnakeBus.listen(
            address=address, run_id=run_id, key=key,
            on_receive=self._client.on_receive, on_peer=on_peer,
        )  # fmt: skip
        return bus

    def _record(self, folder: Path, run_id: str, key: bytes, address: str) -> LaunchRecord:
        options = self._options
        return LaunchRecord(
            run_id=run_id,
            address=address,
            key=key.hex(),
            run_dir=str(folder),
            output_inline_bytes=options.output_inline_bytes,
            output_file_bytes=options.output_file_bytes,
            image_inline_bytes=options.image_inline_bytes,
            log_level=options.log_level,
            cage=options.cage,
            network=options.network,
        )

    def _hand_over(self, process: subprocess.Popen[bytes], record: LaunchRecord) -> None:
        """Give the record; from now on ``stop`` can end this manager."""
        assert process.stdin is not None
        with self._lock:
            self._process = process
            # One that died already says so by its status.
            with contextlib.suppress(OSError):
                process.stdin.write(record.model_dump_json().encode() + b"\n")
                process.stdin.flush()
            if self._stopping.is_set():
                close_quietly(process)

    def _relay(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what the manager logs until it ends."""
        assert process.stderr is not None
        tell = self._options.log or log_line
        while line := process.stderr.readline(LINE_BYTES):
            tell(printable(line.decode("utf-8", "replace").rstrip("\n")))

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._process = None
            close_quietly(process)
        if process.poll() is None:
            process.kill()
            process.wait(KILL_S)
        if process.stderr is not None:
            process.stderr.close()


# --- the manager's process ---------------------------------------------------------------------


def start_manager(run_id: str) -> subprocess.Popen[bytes]:
    """Start it with our pipe as its life line. Raises OSError."""
    home = Path(__file__).resolve().parent.parent
    installed = home.name in ("site-packages", "dist-packages")
    # Never with the person's folder on its path: a file there named as a module of ours would run.
    safe_path = ["-P"] if installed else []
    return subprocess.Popen(
        [sys.executable, *safe_path, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=home,
        env={**environment(), RUN_MARK: run_id},
    )


def make_folder(parent: Path, name: str) -> Path:
    """A run's folder, ours alone. Raises OSError; FileExistsError where others may write."""
    for _ in range(3):
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = parent.stat()
        if os.name == "posix" and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            raise FileExistsError(f"{parent} is not a folder of ours alone")
        # The wardens of a lost manager remove the folder above when it is empty.
        with contextlib.suppress(FileNotFoundError):
            (parent / name).mkdir(mode=0o700)
            return parent / name
    raise FileNotFoundError(f"{parent} is being removed")


def close_quietly(process: subprocess.Popen[bytes]) -> None:
    """Cut the life line."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def log_line(line: str) -> None:
    """A line of the manager into our log, at the level it names."""
    level, _, text = line.partition(" ")
    number = logging.getLevelNamesMapping().get(level)
    if number is None:
        manager_log.error("%s", line)
    else:
        manager_log.log(number, "%s", text)


def printable(line: str) -> str:
    """The line without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)


# --- what a lost manager left ------------------------------------------------------------------


def end_orphans(run_id: str) -> None:
    """Kill and reap what a run left to this process, its nearest subreaper, until nothing is left.

    Wardens get time to clear up below themselves, which they do as soon as their manager is gone.
    """
    deadline = time.monotonic() + ORPHANS_S
    while left := orphans(run_id):
        now = time.monotonic()
        warden.kill_all(pid for pid in left if now >= deadline or not is_warden(pid))
        if now >= deadline + KILL_S:
            log.error("processes of the kernel manager do not end: %s", left)
            return
        wait_for_one(left, max(KILL_S, deadline - now))


def orphans(run_id: str) -> list[int]:
    """Our children that carry the run's mark, and those that are ending: what they leave is next.

    The dead of other sessions are reaped: nobody else in this process waits for them.
    """
    me, session = os.getpid(), os.getsid(0) if hasattr(os, "getsid") else 0
    mark = f"{RUN_MARK}={run_id}".encode()
    found = []
    for process in warden.processes():
        if process.parent != me:
            continue
        if mark in read_proc(process.pid, "environ").split(b"\0"):
            found.append(process.pid)
            continue
        now = warden.look_at(process.pid)
        if now and now.exiting and now.session != session and not reaped(process.pid):
            found.append(process.pid)
    return found


def reaped(pid: int) -> bool:
    """Whether a child is dead with all its threads; if so it is gone now."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def is_warden(pid: int) -> bool:
    """Whether the process is one of ours that clears up after a kernel."""
    return os.fsencode(warden.__file__) in read_proc(pid, "cmdline").split(b"\0")


def read_proc(pid: int, name: str) -> bytes:
    """A file of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def wait_for_one(pids: list[int], timeout: float) -> None:
    """Return when one of the processes ended, or after ``timeout`` seconds."""
    poll = select.poll()
    with contextlib.ExitStack() as opened:
        for pid in pids:
            with contextlib.suppress(OSError):
                descriptor = os.pidfd_open(pid)
                opened.callback(os.close, descriptor)
                poll.register(descriptor, select.POLLIN)
        poll.poll(timeout * 1000)
