"""The parent of exactly one kernel: when the kernel ends, or has to, nothing it started stays.

Runs as ``python -I -S warden.py [--NAME VALUE]... -- ARGV...`` with the standard library alone.
Standard input is the life line: when it closes, the kernel ends. Standard output carries one
report at the end: ``exit N`` or ``signal N``, then the last of what the kernel wrote.
Invariant: on Linux every descendant, however it detached itself, is dead and the run folders are
gone before the warden is.
"""

# Without pathlib, which would double the time this takes to start.
# ruff: noqa: PTH106, PTH108, PTH120, PTH123, PTH208

import contextlib
import ctypes
import os
import re
import select
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PF_EXITING = 4
LOG_TAIL = 4096
LOG_KEPT = 64 * 1024
NOT_RUN = 127
END_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
# Where a cage finds the filter of system calls that it is to install.
FILTER_HANDLE = 20
# Where bubblewrap tells who it started, and what it waits for before it runs the kernel.
INFO_HANDLE, GATE_HANDLE = 21, 22
CLONE_NEWPID = 0x20000000
# The system takes no lower number of processes for a list of their own.
LEAST_PROCESSES = 301
# The system ends a kernel rather than the rest of the person's programs when memory runs out.
FIRST_TO_GO = 500
# What this process or its parents may ignore and a kernel has to have as the system gives it.
RESET_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGPIPE", "SIGXFSZ", "SIGQUIT")


# --- the system --------------------------------------------------------------------------------


def prctl(option: int, value: int) -> bool:
    """Linux's prctl; False where there is none."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def become_subreaper() -> bool:
    """Make orphans below this process its own children. False where the system cannot."""
    return prctl(PR_SET_CHILD_SUBREAPER, 1)


class Process(NamedTuple):
    """What /proc tells of a process. ``exiting``: it cannot start anything any more."""

    pid: int
    parent: int
    state: str
    session: int
    exiting: bool


def processes() -> Iterator[Process]:
    """Every process, from /proc; nothing without one."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit() and (process := look_at(int(name))):
            yield process


def look_at(pid: int) -> Process | None:
    """One process; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            state, parent, _, session, _, _, flags, *_ = stat.read().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return None
    exiting = state == b"Z" or bool(int(flags) & PF_EXITING)
    return Process(pid, int(parent), state.decode(), int(session), exiting)


def descendants(root: int) -> list[int]:
    """Everything below ``root``, nearest first; the dead as well, until they are reaped.

    A process whose first thread is dead still holds its children while other threads end.
    """
    children: dict[int, list[int]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process.pid)
    found, level = [], [root]
    while level:
        level = [child for pid in level for child in children.get(pid, ())]
        found += level
    return found


def kill_all(pids: Iterable[int]) -> int:
    """SIGKILL each; how many it could be sent to."""
    killed = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def how_it_ended(returncode: int) -> str:
    """A return code as ``subprocess`` gives it, in words."""
    if returncode < 0:
        return f"was killed by signal {-returncode} ({signal_name(-returncode)})"
    return f"exited with status {returncode}"


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unnamed"


def remove_tree(path: str) -> None:
    """Remove a folder and what is in it, as far as it goes; links are not followed."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                remove_tree(entry.path)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
    with contextlib.suppress(OSError):
        os.rmdir(path)


def remove_run(path: str) -> None:
    """Remove a manager's folder, and the one above it where that held nothing else."""
    remove_tree(path)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(path))


# --- one kernel --------------------------------------------------------------------------------


def start(
    argv: list[str], handles: dict[int, int], file_bytes: int | None, filter: str | None
) -> int:
    """Fork and exec the kernel in a session of its own, with ``handles`` as these descriptors."""
    log = handles[1]
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for name in RESET_SIGNALS:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(NOT_RUN)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in {0: null, **handles}.items():
            os.dup2(source, target)
        if filter is not None:
            os.dup2(os.open(filter, os.O_RDONLY), FILTER_HANDLE)
        limit(file_bytes)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(log, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_RUN)


def limit(file_bytes: int | None) -> None:
    """No core dumps, no file larger than ``file_bytes``, and first to go where memory is short."""
    import resource

    limits = [(resource.RLIMIT_CORE, 0)]
    if file_bytes is not None:
        limits.append((resource.RLIMIT_FSIZE, file_bytes))
    for name, value in limits:
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(name, (value, value))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(FIRST_TO_GO))


def limit_list(pid: int, processes: int) -> None:
    """Let a list of processes (``pid`` is in it) grow to a number only; Linux 6.14 or newer.

    The other limit, on the processes of a user, does not hold root.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        handle = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
        if ctypes.CDLL(None).setns(handle, CLONE_NEWPID) == 0 and os.fork() == 0:
            with open("/proc/sys/kernel/pid_max", "r+") as file:
                file.write(str(max(processes, LEAST_PROCESSES)))
        else:
            os.wait()
    finally:
        os._exit(0)


def has_lists_with_limits() -> bool:
    """Whether a number written there would be one of this list alone, and not the machine's."""
    release = os.uname().release.split("-")[0].split(".")[:2]
    return tuple(int(n) for n in release if n.isdigit()) >= (6, 14)


def kernel_in(pids: Iterable[int]) -> int | None:
    """Of a cage's processes the kernel: the first that was started in a list of their own.

    The number 1 there is the cage's own; what the kernel left behind came later.
    """
    inside: dict[int, int] = {}
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb") as status:
            numbers = next((x.split()[1:] for x in status if x.startswith(b"NSpid:")), [])
            if len(numbers) > 1 and numbers[-1] != b"1":
                inside[int(numbers[-1])] = pid
    return inside[min(inside)] if inside else None


class Warden:
    """Waits for the kernel's end, a signal, or the end of the life line, whichever is first."""

    def __init__(
        self,
        argv: list[str],
        *,
        file_bytes: int | None = None,
        filter: str | None = None,
        namespaced: bool = False,
        processes: int | None = None,
    ) -> None:
        self.namespaced = namespaced
        self.status: int | None = None
        self.ending = False
        self.log = bytearray()
        self.log_read, log_write = os.pipe()
        self.wake_read, wake_write = os.pipe()
        for fd in (self.log_read, self.wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGINT, *END_SIGNALS):
            signal.signal(number, self._on_signal)
        handles = {1: log_write, 2: log_write}
        if processes is not None:
            self._start_behind_gate(argv, handles, file_bytes, filter, processes)
        else:
            self.kernel = start(argv, handles, file_bytes, filter)
        os.close(log_write)

    def _start_behind_gate(
        self,
        argv: list[str],
        handles: dict[int, int],
        file_bytes: int | None,
        filter: str | None,
        processes: int,
    ) -> None:
        """Start a cage that waits until its list of processes is limited."""
        told, info = os.pipe()
        gate, opener = os.pipe()
        handles |= {INFO_HANDLE: info, GATE_HANDLE: gate}
        self.kernel = start(argv, handles, file_bytes, filter)
        os.close(info)
        os.close(gate)
        found = re.search(rb'"child-pid":\s*(\d+)', read_all(told))
        os.close(told)
        if found is not None and has_lists_with_limits():
            limit_list(int(found[1]), processes)
        os.close(opener)

    def _on_signal(self, number: int, _frame: object) -> None:
        if number in END_SIGNALS:
            self.ending = True
        elif number == signal.SIGINT and self.status is None:
            # For kernels that know interrupts only as signals: the manager sends it here. The cage
            # itself would end by it.
            kernel = kernel_in(descendants(self.kernel)) if self.namespaced else self.kernel
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if kernel is not None:
                    os.killpg(os.getpgid(kernel), signal.SIGINT)

    def wait(self) -> None:
        """Return when the kernel is over or has to be."""
        poll = select.poll()
        for fd in (0, self.log_read, self.wake_read):
            poll.register(fd, select.POLLIN)
        while not self.ending:
            for fd, _ in poll.poll():
                if fd == 0:
                    self.ending = self.ending or not os.read(0, 4096)
                elif fd == self.log_read and not self._read_log():
                    poll.unregister(fd)
                elif fd == self.wake_read:
                    os.read(fd, 4096)
            self._reap()

    def _read_log(self) -> bool:
        """Take what the kernel wrote, of which the last is kept. False when nobody can write."""
        for _ in range(16):
            try:
                data = os.read(self.log_read, LOG_KEPT)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.log += data
            del self.log[:-LOG_KEPT]
        return True

    def _reap(self) -> None:
        """Collect the dead; the kernel among them is the end."""
        with contextlib.suppress(ChildProcessError):
            while (dead := os.waitpid(-1, os.WNOHANG))[0]:
                self._note(*dead)
        self.ending = self.ending or self.status is not None

    def _note(self, pid: int, status: int) -> None:
        if pid == self.kernel:
            self.status = status

    def clear(self) -> None:
        """Kill every descendant until there is none; each death may bring us its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.kernel, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while kill_all(descendants(os.getpid())) or self.status is None:
                self._note(*os.waitpid(-1, 0))

    def report(self) -> int:
        """Write the report; the exit status that says the same as a shell would."""
        self._read_log()
        code = os.waitstatus_to_exitcode(self.status or 0)
        if self.namespaced and 128 < code < 128 + signal.NSIG:
            code = 128 - code  # a cage ends with a status where its kernel was killed by a signal
        line = f"signal {-code}\n" if code < 0 else f"exit {code}\n"
        with contextlib.suppress(OSError):
            os.write(1, line.encode() + self.log[-LOG_TAIL:])
        return 128 - code if code < 0 else code


def read_all(handle: int) -> bytes:
    """Everything until nobody can write any more."""
    data = bytearray()
    while more := os.read(handle, 4096):
        data += more
    return bytes(data)


def manager_is_gone() -> bool:
    """Whether nobody holds the other end of the life line any more."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    return bool(poll.poll(0)) and not os.read(0, 4096)


def main(arguments: list[str]) -> int:
    """``[--run-dir DIR] [--shared-dir DIR] ... -- ARGV...``; runs the kernel to its end.

    The first folder is the kernel's own. The second is the manager's: where the manager is gone
    the last of its wardens removes it, and the folder above it once that is empty.
    ``--file-bytes N`` and ``--filter FILE`` limit the kernel, ``--namespaced yes`` says that it
    has a list of processes of its own, ``--processes N`` how long that may become: then the cage
    tells at INFO_HANDLE who it started, and waits at GATE_HANDLE.
    """
    cut = arguments.index("--")
    options = dict(zip(arguments[:cut:2], arguments[1:cut:2], strict=True))
    become_subreaper()
    size = options.get("--file-bytes")
    warden = Warden(
        arguments[cut + 1 :],
        file_bytes=int(size) if size else None,
        filter=options.get("--filter"),
        namespaced="--namespaced" in options,
        processes=int(options["--processes"]) if "--processes" in options else None,
    )
    warden.wait()
    warden.clear()
    if "--run-dir" in options:
        remove_tree(options["--run-dir"])
    if "--shared-dir" in options and manager_is_gone():
        remove_run(options["--shared-dir"])
    return warden.report()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
