"""How a kernel is put into its cage: its needs are asked, what it may see is chosen, it is wrapped.

Invariant: the level that was asked for is the level the kernel gets, or it does not start.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gpt_code_ui.errors import KernelStartFailed
from gpt_code_ui.kernel import relay
from gpt_code_ui.kernel.network import SOCKET, forwarder
from gpt_code_ui.kernel.process import Children, Launch, output_of
from gpt_code_ui.kernel.sandbox import bwrap, landlock, needs, places, seccomp
from gpt_code_ui.kernel.sandbox.bwrap import Bwrap
from gpt_code_ui.kernel.sandbox.environment import (
    PROXY_PORT,
    RUN_MARK,
    caged_environment,
    found_in,
    installing_environment,
    kernel_environment,
    proxied_environment,
)
from gpt_code_ui.kernel.sandbox.ladder import INSTALL
from gpt_code_ui.kernel.sandbox.needs import Needs
from gpt_code_ui.kernel.sandbox.places import Place, Readable
from gpt_code_ui.kernel.warden import FILTER_HANDLE
from gpt_code_ui.protocol import CageOptions, SandboxLevel, StartKernel

log = logging.getLogger(__name__)

# Where a kernel in bubblewrap finds what it installed.
PACKAGES = "/packages"
ASK_CONSENT = "Code does not run here yet: no sandbox works on this machine."
CONSENT_HINT = "Agree on the page to run code without one, or start with --sandbox none."


@dataclass(frozen=True)
class Program:
    """A kernel's command. ``python``: the interpreter to ask; ``folder``: its kernelspec's;
    ``reads``: files of ours that it needs; ``relay``: our program that stands before it."""

    argv: Sequence[str]
    env: Mapping[str, str]
    python: str | None = None
    folder: str | None = None
    reads: tuple[str, ...] = ()
    relay: tuple[str, ...] = ()


class Cages:
    """Makes the cages of one manager, on its loop's thread. What interpreters said is kept."""

    def __init__(self, children: Children, options: CageOptions, run_dir: Path) -> None:
        self._children = children
        self._options = options
        self._run_dir = run_dir
        self._known: dict[tuple[object, ...], Needs] = {}
        self._bwrap: Bwrap | None = None
        self._asked = 0

    async def launch(self, start: StartKernel, program: Program, run_dir: Path) -> Launch:
        """The kernel's command in its cage; ``run_dir`` is its own. Raises KernelStartFailed."""
        level = start.sandbox
        _make(start.packages)
        if level == "ask":
            raise KernelStartFailed(ASK_CONSENT, hint=CONSENT_HINT)
        env = {**kernel_environment(program.argv[0], run_dir), **program.env}
        if level == "none":
            env |= _for_packages(start.packages, program, env)
            return Launch(
                (*program.relay, *program.argv), env, start.workspace, level, network=True,
                file_bytes=self._options.file_bytes,
            )  # fmt: skip
        needed = await self._needs(program, env, level)
        argv = [*program.relay, needed.executable, *program.argv[1:]]
        env = {**kernel_environment(needed.executable, run_dir), **program.env}
        place = self._place(start, run_dir, env)
        forwarding = await self._forwarding(program, needed, env, level)
        own = self._of_relay().whole if program.relay else ()
        whole = (*needed.whole, *forwarding.whole, *own, *program.reads)
        needed = replace(needed, whole=whole)
        env |= _for_packages(_packages_in(level, start.packages), program, env)
        shown = places.readable(needed, place)
        for path in shown.refused:
            log.info("not shown in the sandbox, it would show too much: %s", path)
        if level == "landlock":
            return self._by_landlock(argv, env, place, shown)
        return self._by_bwrap(argv, env, place, shown, needed, forwarding.executable)

    # --- the two cages -------------------------------------------------------------------------

    def _by_bwrap(
        self, argv: list[str], env: Mapping[str, str], place: Place, shown: Readable,
        needed: Needs, python: str,
    ) -> Launch:  # fmt: skip
        etc = self._etc(place.home)
        ours = [sys.prefix, str(Path(__file__).resolve().parent.parent)]
        filter = self._filter(seccomp.Rules())
        # Root is not held to a number of processes by the limit that holds others.
        gated = self._options.processes is not None and os.getuid() == 0
        cage = bwrap.Cage(
            shown, home=place.home, etc=str(etc),
            env=caged_environment(env, Path(place.home), Path("/tmp")) | proxied_environment(),
            writable=(place.workspace, place.run_dir),
            hide=tuple(places.hidden_within(place.workspace, place.hidden)),
            keep=tuple(places.kept_from_writing(needed, place.workspace, ours)),
            chdir=place.workspace, seccomp=None if filter is None else FILTER_HANDLE,
            tmp_bytes=self._options.tmp_bytes, processes=self._options.processes, gated=gated,
            mounts=() if place.packages is None else ((place.packages, PACKAGES),),
            beside=(
                python, "-I", "-S", forwarder.__file__, str(PROXY_PORT),
                str(Path(place.run_dir, SOCKET)),
            ),
        )  # fmt: skip
        return Launch(
            tuple(bwrap.command(self._program(), cage, argv)), environment_of_warden(env),
            place.workspace, "bwrap", network=False, file_bytes=self._options.file_bytes,
            filter=filter, namespaced=True, proxied=True,
            processes=self._options.processes if gated else None,
        )  # fmt: skip

    def _by_landlock(
        self, argv: list[str], env: Mapping[str, str], place: Place, shown: Readable
    ) -> Launch:
        for path in places.hidden_within(place.workspace, place.hidden):
            raise KernelStartFailed(
                f"The working folder holds {path}, which code may not see, and Landlock cannot "
                "hide it.",
                hint=f"Work in another folder, or have bubblewrap: {INSTALL}",
            )
        own = Path(place.run_dir)
        home, temporary = own / "home", own / "tmp"
        for folder in (own, home, temporary):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = seccomp.machine()
        assert name is not None
        bounds = landlock.Bounds(
            read=(*places.system(), *shown.paths, *(path for path, _ in shown.links)),
            write=(place.workspace, place.run_dir, *([place.packages] if place.packages else [])),
            filter=seccomp.program(seccomp.Rules("listen", landlock=True), name).hex(),
            processes=self._options.processes,
        )
        return Launch(
            tuple(landlock.command(sys.executable, bounds, argv)),
            caged_environment(env, home, temporary) | environment_of_warden(env),
            place.workspace, "landlock", network=False, file_bytes=self._options.file_bytes,
        )  # fmt: skip

    # --- what goes into them -------------------------------------------------------------------

    def _place(self, start: StartKernel, run_dir: Path, env: Mapping[str, str]) -> Place:
        hidden = (*self._options.hidden, str(self._run_dir), str(self._run_dir.parent))
        return Place(
            workspace=start.workspace, run_dir=str(run_dir),
            home=places.home_folder(env.get("HOME")), hidden=hidden,
            allow_read=tuple(self._options.allow_read), packages=start.packages,
        )  # fmt: skip

    async def _forwarding(
        self, program: Program, needed: Needs, env: Mapping[str, str], level: SandboxLevel
    ) -> Needs:
        """The interpreter of the proxy's end in the cage: the kernel's own, or ours."""
        if level != "bwrap":
            return Needs("")
        if program.python is None:
            own = Program((sys.executable,), {}, sys.executable)
            needed = await self._needs(own, env, level)
        return replace(needed, whole=(*needed.whole, str(forwarder.__file__)))

    async def _needs(self, program: Program, env: Mapping[str, str], level: SandboxLevel) -> Needs:
        """What the kernel reads. Raises KernelStartFailed."""
        if program.python is None:
            found = needs.of_program(list(program.argv), env, program.folder)
            if found is None:
                raise KernelStartFailed(f"There is no program {program.argv[0]}.")
            return found
        stamp = (needs.stamp(program.python), env.get("PYTHONPATH"))
        known = self._known.get(stamp)
        if known is None:
            known = self._known[stamp] = await self._ask(program.python, env, level)
        if program.folder is None:
            return known
        return replace(known, whole=(*known.whole, program.folder))

    @staticmethod
    def _of_relay() -> Needs:
        """What our own interpreter reads, without any packages."""
        python = os.path.realpath(sys.executable)
        return needs.of_this_process(python, [], [sys.base_prefix], [relay.__file__])

    async def _ask(self, python: str, env: Mapping[str, str], level: SandboxLevel) -> Needs:
        """Ask an interpreter, in a cage that shows everything and lets nothing out."""
        self._asked += 1
        answer = self._run_dir / f"needs{self._asked}"
        rules = seccomp.Rules("none", landlock=level == "landlock")
        question = [python, "-c", needs.QUESTION]
        handle: int | None = None
        if level == "landlock":
            name = seccomp.machine()
            assert name is not None
            bounds = landlock.Bounds(("/",), (), seccomp.program(rules, name).hex())
            argv = landlock.command(sys.executable, bounds, question)
        else:
            filter = self._filter(rules)
            handle = None if filter is None else os.open(filter, os.O_RDONLY | os.O_CLOEXEC)
            home = places.home_folder(env.get("HOME"))
            whole = bwrap.Cage(
                Readable(()), home=home, etc=str(self._etc(home)), env=dict(env), seccomp=handle,
                everything=True,
            )  # fmt: skip
            argv = bwrap.command(self._program(), whole, question)
        try:
            printed = await output_of(
                self._children, argv, answer, env=env, cwd="/",
                pass_fds=() if handle is None else (handle,),
            )  # fmt: skip
        finally:
            if handle is not None:
                os.close(handle)
        said = await asyncio.to_thread(needs.read_answer, printed)
        if said is None:
            raise KernelStartFailed(
                f"{python} does not say where its packages are.",
                hint="Choose another with --python.",
            )
        return said

    def _program(self) -> Bwrap:
        if self._bwrap is None:
            self._bwrap = bwrap.find()
        if self._bwrap is None:
            raise KernelStartFailed("bubblewrap is gone.", hint=INSTALL)
        return self._bwrap

    def _etc(self, home: str) -> Path:
        folder = self._run_dir / "etc"
        if not folder.exists():
            bwrap.write_etc(folder, home)
        return folder

    def _filter(self, rules: seccomp.Rules) -> str | None:
        """The file with a filter; None where this machine has none."""
        name = seccomp.machine()
        if name is None:
            return None
        path = self._run_dir / f"{rules.sockets}.filter"
        if not path.exists():
            path.write_bytes(seccomp.program(rules, name))
        return str(path)


def _make(folder: str | None) -> None:
    if folder is not None:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)


def _packages_in(level: SandboxLevel, folder: str | None) -> str | None:
    return PACKAGES if folder is not None and level == "bwrap" else folder


def _for_packages(folder: str | None, program: Program, env: Mapping[str, str]) -> dict[str, str]:
    """What has a kernel install into its conversation's folder. Ours looks there by itself."""
    if folder is None:
        return {}
    path = env.get("PYTHONPATH")
    return installing_environment(folder) | ({} if program.reads else found_in(folder, path))


def environment_of_warden(env: Mapping[str, str]) -> dict[str, str]:
    """What the processes around the cage have: enough to be found again, and to find programs."""
    return {name: env[name] for name in ("PATH", RUN_MARK) if name in env}
