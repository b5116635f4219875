"""The cage that bubblewrap builds: namespaces with nothing in them but what is bound by name.

Order matters: what is bound later hides what was there before, so mounts go from the outer to the
inner. Nothing is a quota on disk: the workspace and the run folder are watched (kernel.watch).
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpt_code_ui.kernel.sandbox import places
from gpt_code_ui.kernel.sandbox.places import Readable
from gpt_code_ui.kernel.warden import GATE_HANDLE, INFO_HANDLE

# Ubuntu's AppArmor profile lets bubblewrap make user namespaces at this path only.
USUAL = "/usr/bin/bwrap"
ASK_S = 5.0
MIB = 1 << 20
HOME_BYTES = 256 * MIB
HOST_NAME = "sandbox"
# Also for machines older than 5.14, where processes are counted over all namespaces of a user.
PER_NAMESPACE = (5, 14)
# bash names the limit -u, dash -p.
INSIDE = 'ulimit -u "$0" 2>/dev/null || ulimit -p "$0" 2>/dev/null; exec "$@"'


@dataclass(frozen=True)
class Bwrap:
    """The program, and the flags that this version knows."""

    path: str
    flags: frozenset[str]

    def has(self, flag: str) -> bool:
        """Whether this version takes a flag."""
        return flag in self.flags


@dataclass(frozen=True)
class Cage:
    """What one program gets. ``etc`` holds the files written by ``write_etc``, if it needs them.

    ``workspace`` and ``run_dir`` can be written; ``hide`` and ``keep`` lie in what is bound: the
    former are empty there, the latter can be read only. ``seccomp`` is the filter's descriptor.
    ``gated``: it waits for the warden; ``everything``: it shows the whole machine, to be read.
    ``mounts`` are folders that can be written at another path inside; ``beside`` is a command that
    runs next to the program.
    """

    readable: Readable
    home: str
    etc: str | None
    env: Mapping[str, str]
    writable: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    chdir: str = "/"
    seccomp: int | None = None
    tmp_bytes: int = 512 * MIB
    processes: int | None = None
    gated: bool = False
    everything: bool = False
    mounts: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()


def find(path: str | None = None) -> Bwrap | None:
    """The program at its usual place, else on the PATH; None where it is not or does not run."""
    usual = USUAL if os.access(USUAL, os.X_OK) else None
    program = usual or shutil.which("bwrap", path=path)
    if program is None:
        return None
    try:
        help = subprocess.run(
            [program, "--help"], capture_output=True, text=True, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = f"{help.stdout} {help.stderr}".split()
    return Bwrap(program, frozenset(word for word in words if word.startswith("--")))


def command(bwrap: Bwrap, cage: Cage, argv: Sequence[str]) -> list[str]:
    """The command that runs ``argv`` in the cage."""
    return [*arguments(bwrap, cage), "--", *accompanied(cage.beside, limited(cage.processes, argv))]


def limited(processes: int | None, argv: Sequence[str]) -> list[str]:
    """``argv`` under a limit that counts what is in the cage, so it has to be set inside."""
    if processes is None or _release() < PER_NAMESPACE:
        return list(argv)
    return ["/bin/sh", "-c", INSIDE, str(processes), *argv]


def accompanied(beside: Sequence[str], argv: list[str]) -> list[str]:
    """``argv`` with a command beside it that is nobody's child but the cage's first process's."""
    if not beside:
        return argv
    start = f"({shlex.join(beside)} </dev/null >/dev/null 2>&1 &)"
    return ["/bin/sh", "-c", f'{start}; exec "$@"', "sh", *argv]


def arguments(bwrap: Bwrap, cage: Cage) -> list[str]:
    """Everything up to the command."""
    args = [bwrap.path, "--unshare-user"]
    args += ["--disable-userns"] if bwrap.has("--disable-userns") else []
    args += [
        "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--unshare-net",
        "--die-with-parent", "--new-session", "--hostname", HOST_NAME, "--cap-drop", "ALL",
    ]  # fmt: skip
    args += ["--clearenv"] if bwrap.has("--clearenv") else []
    for _, mount in sorted(_mounts(bwrap, cage), key=lambda m: Path(m[0]).parts):
        args += mount
    if bwrap.has("--remount-ro"):
        # For root the settings of the whole machine could be written here, one of which names a
        # program that the system runs outside.
        args += ["--remount-ro", "/proc"]
        if not cage.everything:
            # Otherwise memory could be filled by files here, past every limit.
            args += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in cage.env.items():
        args += ["--setenv", name, value]
    args += ["--chdir", cage.chdir]
    if cage.seccomp is not None:
        args += ["--seccomp", str(cage.seccomp)]
    if cage.gated:
        args += ["--info-fd", str(INFO_HANDLE), "--block-fd", str(GATE_HANDLE)]
    return args


def write_etc(folder: Path, home: str) -> None:
    """Files in place of the machine's own: one account, no network. Raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    accounts = [f"user:x:{uid}:{gid}:user:{home}:/bin/sh"]
    groups = [f"user:x:{gid}:"]
    if uid:
        accounts.append("root:x:0:0:root:/nonexistent:/bin/false")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, lines in {
        "passwd": accounts,
        "group": groups,
        "hosts": [f"127.0.0.1 localhost {HOST_NAME}", "::1 localhost"],
        "nsswitch.conf": ["passwd: files", "group: files", "hosts: files", "services: files"],
        "empty": [],
    }.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines))


Mounts = Iterable[tuple[str, Sequence[str]]]


def _mounts(bwrap: Bwrap, cage: Cage) -> Mounts:
    """Each mount with the path it makes."""
    if cage.everything:
        yield "/", ("--ro-bind", "/", "/")
    else:
        yield from _system(cage)
        yield from _temporary(bwrap, cage)
        for path in cage.readable.paths:
            yield path, ("--ro-bind", path, path)
        for path, target in cage.readable.links:
            yield path, ("--symlink", target, path)
    yield "/proc", ("--proc", "/proc")
    yield "/dev", ("--dev", "/dev")
    for path in cage.writable:
        yield path, ("--bind", path, path)
    for source, path in cage.mounts:
        yield path, ("--bind", source, path)
    for path in cage.keep:
        yield path, ("--ro-bind", path, path)
    for path in cage.hide:
        if os.path.isdir(path):
            yield path, ("--tmpfs", path, "--remount-ro", path)
        elif cage.etc is not None:
            yield path, ("--ro-bind", os.path.join(cage.etc, "empty"), path)


def _system(cage: Cage) -> Mounts:
    for path in (*places.SYSTEM, *places.STORES):
        if os.path.islink(path):
            yield path, ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield path, ("--ro-bind", path, path)
    for name in places.ETC:
        path = f"/etc/{name}"
        if os.path.exists(path):
            yield path, ("--ro-bind", path, path)
    if cage.etc is not None:
        for name in ("passwd", "group", "hosts", "nsswitch.conf"):
            yield f"/etc/{name}", ("--ro-bind", os.path.join(cage.etc, name), f"/etc/{name}")
    if os.path.isdir(places.PROCESSORS):
        yield places.PROCESSORS, ("--ro-bind", places.PROCESSORS, places.PROCESSORS)


def _temporary(bwrap: Bwrap, cage: Cage) -> Mounts:
    """Folders in memory, each with its size."""
    sizes = (("/tmp", cage.tmp_bytes), ("/dev/shm", cage.tmp_bytes), (cage.home, HOME_BYTES))
    for path, size in sizes:
        limit = ["--size", str(size)] if bwrap.has("--size") else []
        yield path, (*limit, "--tmpfs", path)


def _release() -> tuple[int, ...]:
    numbers = os.uname().release.split("-")[0].split(".")[:2]
    return tuple(int(n) for n in numbers if n.isdigit())
