"""The cage without bubblewrap: Landlock for files, TCP and signals, seccomp for the rest.

Runs as ``python -I -S landlock.py OPTIONS -- ARGV...`` with the standard library alone, OPTIONS
being JSON of ``Bounds``, and becomes ARGV. It shares the list of processes and of mounts with
everybody, and knows no file it could hide in a folder that it shows.
"""

import ctypes
import errno
import json
import os
import resource
import struct
import sys
from collections.abc import Iterable
from typing import NamedTuple

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION, PATH_BENEATH = 1, 1
# The first that rules over TCP.
LEAST_ABI = 4
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
MAKE_CHAR, MAKE_BLOCK, TRUNCATE, IOCTL_DEV = 1 << 6, 1 << 11, 1 << 14, 1 << 15
FILES_ABI5 = (1 << 16) - 1
BIND_AND_CONNECT = SCOPE_ABSTRACT_AND_SIGNALS = 3
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
PR_CAPBSET_DROP, CAPABILITIES, CAPABILITY_VERSION = 24, 64, 0x20080522
# What every program may look at beside the system itself.
ABOUT_ITSELF = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm",
    "/proc/sys/kernel/osrelease", "/proc/sys/kernel/pid_max", "/proc/filesystems",
    # How many processors there are for it: joblib looks whether they exist, then reads them.
    "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
SHARED_MEMORY = "/dev/shm"


class Bounds(NamedTuple):
    """``read`` and ``write`` are paths, ``filter`` a seccomp program in hexadecimal.

    ``processes``: how many more this user may have than there are; None for no limit.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]
    filter: str
    processes: int | None = None


def command(python: str, bounds: Bounds, argv: list[str]) -> list[str]:
    """The command that becomes ``argv`` within bounds."""
    return [python, "-I", "-S", __file__, json.dumps(bounds._asdict()), "--", *argv]


def abi() -> int:
    """The version of Landlock that this system has; 0 for none."""
    if not sys.platform.startswith("linux"):
        return 0
    version: int = _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)
    return max(0, version)


def confine(bounds: Bounds) -> None:
    """Put this process and all it starts within bounds, for ever. Raises OSError."""
    version = abi()
    if version < LEAST_ABI:
        raise OSError(errno.ENOSYS, "Landlock is too old")
    _restrict_files(bounds, version)
    _drop_capabilities()
    _install(bytes.fromhex(bounds.filter))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _restrict_files(bounds: Bounds, version: int) -> None:
    files = FILES_ABI5 if version >= 5 else FILES_ABI5 & ~IOCTL_DEV
    attributes = struct.pack("=QQ", files, BIND_AND_CONNECT)
    if version >= 6:
        attributes += struct.pack("=Q", SCOPE_ABSTRACT_AND_SIGNALS)
    size = ctypes.c_size_t(len(attributes))
    ruleset = _check(_libc().syscall(CREATE_RULESET, attributes, size, 0), "landlock")
    reading = EXECUTE | READ_FILE | READ_DIR
    device = READ_FILE | WRITE_FILE | files & IOCTL_DEV
    try:
        for paths, access in (
            ((*bounds.read, *ABOUT_ITSELF), reading),
            # For root a device file of its own making would be the whole disk.
            ((*bounds.write, SHARED_MEMORY), files & ~(IOCTL_DEV | MAKE_CHAR | MAKE_BLOCK)),
            (DEVICES, device),
        ):
            _allow(ruleset, paths, access)
        _check(_libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        _check(_libc().syscall(RESTRICT_SELF, ruleset, 0), "landlock")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], access: int) -> None:
    for path in paths:
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there needs no rule
        try:
            fitting = access
            if not os.path.isdir(path):
                fitting &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
            rule = struct.pack("=Qi", fitting, handle)
            _check(_libc().syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0), path)
        finally:
            os.close(handle)


def _drop_capabilities() -> None:
    """Root keeps its files and nothing else. Others have none, and may not even drop them."""
    for number in range(CAPABILITIES):
        _libc().prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    head, none = struct.pack("=Ii", CAPABILITY_VERSION, 0), bytes(24)
    _check(_libc().capset(head, none), "capabilities")


def _install(filter: bytes) -> None:
    """The seccomp program, as ``struct sock_fprog`` wants it."""
    buffer = ctypes.create_string_buffer(filter, len(filter))
    head = struct.pack("@HP", len(filter) // 8, ctypes.addressof(buffer))
    kept = ctypes.create_string_buffer(head, len(head))
    pointer = ctypes.c_ulong(ctypes.addressof(kept))
    _check(_libc().prctl(PR_SET_SECCOMP, FILTER, pointer, 0, 0), "seccomp")


def _limit_processes(more: int) -> None:
    """Here the limit counts all that the user runs, so it begins from what there is."""
    mine, me = 0, os.getuid()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == me:
                    mine += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limit = mine + more if hard == resource.RLIM_INFINITY else min(mine + more, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def main(arguments: list[str]) -> int:
    """Confine this process, then become the command."""
    bounds = Bounds(**json.loads(arguments[0]))
    argv = arguments[arguments.index("--") + 1 :]
    try:
        if bounds.processes is not None:
            _limit_processes(bounds.processes)
        confine(bounds)
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"sandbox: {argv[0]}: {error}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
