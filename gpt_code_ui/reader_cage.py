"""The reader's cage: the one that kernels have, with nothing in it but our own Python.

Nothing of it lies in a file. Invariant: a reader in a cage can read what it is handed open and what
it is made of, can write nothing and reach nobody.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpt_code_ui.kernel.sandbox import bwrap, landlock, needs, places, seccomp
from gpt_code_ui.kernel.sandbox.environment import caged_environment, environment
from gpt_code_ui.kernel.sandbox.places import Place, Readable
from gpt_code_ui.protocol import SandboxLevel

TMP_BYTES = 64 << 20
HOME = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Start:
    """How to start one reader. ``handles`` are to be passed on; ``told`` goes into its question."""

    argv: list[str]
    env: Mapping[str, str]
    handles: tuple[int, ...]
    told: Mapping[str, Any]


class ReaderCage:
    """One for the process; any thread may use it."""

    def __init__(self, level: SandboxLevel = "none", hidden: Sequence[str] = ()) -> None:
        self._level = level
        self._env = environment()
        self._shown = _readable(self._env, hidden) if level != "none" else Readable(())
        self._bwrap = bwrap.find() if level == "bwrap" else None

    @contextmanager
    def start(self, argv: Sequence[str]) -> Iterator[Start]:
        """What starts ``argv`` in the cage, good until the block is left. Raises OSError."""
        if self._level == "landlock":
            yield Start(list(argv), self._env, (), {"bounds": self._bounds()})
        elif self._level == "none":
            yield Start(list(argv), self._env, (), {})
        else:
            handle = _filter()
            try:
                handles = () if handle is None else (handle,)
                yield Start(self._by_bwrap(argv, handle), {}, handles, {})
            finally:
                if handle is not None:
                    os.close(handle)

    def _by_bwrap(self, argv: Sequence[str], handle: int | None) -> list[str]:
        if self._bwrap is None:
            raise FileNotFoundError(2, "bubblewrap is gone", bwrap.USUAL)
        home = places.home_folder(self._env.get("HOME"))
        cage = bwrap.Cage(
            self._shown, home=home, etc=None,
            env=caged_environment(self._env, Path(home), Path("/tmp")),
            chdir=str(HOME), seccomp=handle, tmp_bytes=TMP_BYTES,
        )  # fmt: skip
        return bwrap.command(self._bwrap, cage, argv)

    def _bounds(self) -> Mapping[str, Any]:
        name = seccomp.machine()
        assert name is not None
        read = (*places.system(), *self._shown.paths)
        rules = seccomp.program(seccomp.Rules("none", landlock=True), name)
        return landlock.Bounds(read, (), rules.hex())._asdict()


def _filter() -> int | None:
    name = seccomp.machine()
    if name is None:
        return None
    handle = os.memfd_create("filter", 0)
    os.write(handle, seccomp.program(seccomp.Rules("none"), name))
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _readable(env: Mapping[str, str], hidden: Sequence[str]) -> Readable:
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    package = str(Path(__file__).resolve().parent)
    needed = needs.of_this_process(sys.executable, sys.path, prefixes, [package])
    home = places.home_folder(env.get("HOME"))
    return places.readable(needed, Place("", "", home, tuple(hidden)))
