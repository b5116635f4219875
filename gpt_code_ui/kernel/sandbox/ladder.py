"""Which cage this machine has: each is tried by running it, the best that works is taken.

Invariant: a level that was asked for by name is used or is an error; nothing weaker takes its
place. ``auto`` goes down to ``none``, which runs code only after the person agreed.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gpt_code_ui.kernel.sandbox import bwrap, landlock, places, seccomp
from gpt_code_ui.kernel.sandbox.places import Readable
from gpt_code_ui.protocol import SandboxLevel

PROBE_S = 5.0
Wanted = Literal["auto", "bwrap", "landlock", "none"]
INSTALL = "sudo apt-get install bubblewrap"
UBUNTU = (
    "sudo apt-get install apparmor-profiles && sudo cp "
    "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && "
    "sudo systemctl reload apparmor"
)
IN_CONTAINER = (
    "where this is a container, start it with --security-opt seccomp=unconfined "
    "--security-opt systempaths=unconfined, or let it be the sandbox: --sandbox none"
)


@dataclass(frozen=True)
class Rung:
    """A level that does not work here: why, and what would mend it."""

    level: SandboxLevel
    why: str
    mend: str


@dataclass(frozen=True)
class Choice:
    """The level there is. None: the one that was asked for does not work, see ``missed``."""

    wanted: Wanted
    level: SandboxLevel | None
    missed: tuple[Rung, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether code runs only once the person agreed to run it without a cage."""
        return self.level == "none" and self.wanted == "auto"

    @property
    def why(self) -> str:
        """Why it is no better level."""
        return " ".join(rung.why for rung in self.missed)

    @property
    def mend(self) -> str | None:
        """What would give the best level."""
        return self.missed[0].mend if self.missed else None


def choose(
    wanted: Wanted, tries: "dict[SandboxLevel, Callable[[], Rung | None]] | None" = None
) -> Choice:
    """Try what was asked for, from the best down."""
    tries = tries or {"bwrap": try_bwrap, "landlock": try_landlock}
    missed: list[Rung] = []
    for level, attempt in tries.items():
        if wanted in ("auto", level):
            rung = attempt()
            if rung is None:
                return Choice(wanted, level, tuple(missed))
            missed.append(rung)
    return Choice(wanted, "none" if wanted in ("auto", "none") else None, tuple(missed))


def try_bwrap(path: str | None = None) -> Rung | None:
    """None where bubblewrap runs a program with the arguments that kernels get."""
    if not sys.platform.startswith("linux"):
        return Rung("bwrap", "bubblewrap exists on Linux only.", "use Linux or a container")
    program = bwrap.find(path)
    if program is None:
        return Rung("bwrap", "bubblewrap is not installed.", INSTALL)
    name = seccomp.machine()
    if name is None and not program.has("--disable-userns"):
        return Rung(
            "bwrap",
            f"{program.path} is too old for this machine.",
            "install bubblewrap 0.8 or newer",
        )
    try:
        said = _run_bwrap(program, name)
    except OSError as error:
        said = f"the temporary folder cannot be used, {error.strerror}"
    return None if said is None else Rung("bwrap", f"bubblewrap does not run: {said}.", mend(said))


def try_landlock() -> Rung | None:
    """None where a program runs under Landlock and our filter."""
    version = landlock.abi()
    if version < landlock.LEAST_ABI:
        has = f"version {version} of Landlock" if version else "no Landlock"
        return Rung(
            "landlock", f"This system has {has}; version {landlock.LEAST_ABI} is needed.",
            "run Linux 6.7 or newer with Landlock switched on",
        )  # fmt: skip
    name = seccomp.machine()
    if name is None:
        return Rung("landlock", "There is no system call filter for this machine.", INSTALL)
    rules = seccomp.program(seccomp.Rules("none", landlock=True), name).hex()
    bounds = landlock.Bounds(tuple(places.SYSTEM), (), rules)
    said = _said(landlock.command(sys.executable, bounds, ["/bin/true"]))
    return None if said is None else Rung("landlock", f"Landlock does not work: {said}.", INSTALL)


def mend(said: str) -> str:
    """What would make bubblewrap work, from what it said and how the system is set."""
    if _number("/proc/sys/user/max_user_namespaces") == 0:
        return "sudo sysctl -w user.max_user_namespaces=15000"
    if _number("/proc/sys/kernel/unprivileged_userns_clone") == 0:
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        return UBUNTU
    if any(word in said for word in ("proc", "namespace", "Operation not permitted")):
        return IN_CONTAINER
    return f"try it by hand: {bwrap.USUAL} --ro-bind / / true"


def _run_bwrap(program: bwrap.Bwrap, machine: str | None) -> str | None:
    with tempfile.TemporaryDirectory(prefix="gptcode-") as folder:
        bwrap.write_etc(Path(folder), "/home/user")
        handle = None if machine is None else filter_file(seccomp.Rules(), machine, folder)
        cage = bwrap.Cage(
            Readable(()), home="/home/user", etc=folder, env={}, seccomp=handle, processes=64
        )
        try:
            return _said(bwrap.command(program, cage, ["/bin/true"]), handle)
        finally:
            if handle is not None:
                os.close(handle)


def filter_file(rules: seccomp.Rules, machine: str, folder: str) -> int:
    """A descriptor at the beginning of the filter, in a file that has no name any more."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(seccomp.program(rules, machine))
        file.flush()
        handle = os.dup(file.fileno())
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _said(command: list[str], handle: int | None = None) -> str | None:
    """What a program complained of; None when it went well."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_S,
            check=False, env={}, pass_fds=() if handle is None else (handle,),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it took more than {PROBE_S:g} s"
    except OSError as error:
        return str(error.strerror)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    if not lines:
        return f"it ended with {done.returncode}"
    # Distributions add where to read on.
    return lines[-1].removeprefix("bwrap: ").partition(". See ")[0].rstrip(".")


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None
