"""How far code is contained here: the level that works, what the person agreed to, what is told.

Consent is asked for only where no cage works and none was chosen by name; it is kept in a file of
its own in the data folder. Invariant: without it no kernel starts.
"""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from gpt_code_ui.errors import StoreError, UsageError
from gpt_code_ui.kernel.sandbox.ladder import Choice, choose
from gpt_code_ui.private_file import write_private
from gpt_code_ui.protocol import CageOptions, SandboxLevel
from gpt_code_ui.settings import Settings

log = logging.getLogger(__name__)

DOTENV = ".env"
# What is said at the start; the page and the README say more.
WORDS: Mapping[SandboxLevel, str] = {
    "bwrap": "sandboxed by bubblewrap: it has its working folder, and no network",
    "landlock": "sandboxed by Landlock: it has its working folder, and no network",
    "none": "not sandboxed: it runs with your rights",
}


class Containment:
    """One for the process. Every method may be called from any thread."""

    def __init__(self, choice: Choice, consent: Path) -> None:
        self._choice = choice
        self._path = consent
        self._agreed = choice.asks and _read(consent)

    @property
    def level(self) -> SandboxLevel | Literal["ask"]:
        """What a kernel that starts now gets."""
        if self._choice.asks and not self._agreed:
            return "ask"
        assert self._choice.level is not None
        return self._choice.level

    def agree(self, agreed: bool) -> None:
        """Let code run without a cage from now on, or no longer. Raises StoreError."""
        try:
            write_private(self._path, _Kept(run_without_sandbox=agreed).model_dump_json().encode())
        except OSError as error:
            raise StoreError(f"The answer cannot be kept: {error.strerror}.") from error
        self._agreed = agreed and self._choice.asks

    def shown(self) -> dict[str, Any]:
        """For the page: ``asks`` while it has to ask, ``agreed`` once the person did."""
        return {
            "level": self._choice.level, "wanted": self._choice.wanted, "asks": self.level == "ask",
            "agreed": self._agreed, "why": self._choice.why or None, "mend": self._choice.mend,
        }  # fmt: skip

    def line(self) -> str:
        """The level in a line, for the terminal."""
        if self.level == "ask":
            return "no sandbox works here: the page asks before it runs without one"
        assert self._choice.level is not None
        return WORDS[self._choice.level]


def contain(settings: Settings, find: Callable[..., Choice] = choose) -> Choice:
    """The level that the settings ask for. Raises UsageError where it does not work here."""
    choice = find(settings.sandbox)
    if choice.level is None:
        raise UsageError(
            f"--sandbox {settings.sandbox} does not work here. {choice.why}", hint=choice.mend
        )
    return choice


def refuse_to_ask(choice: Choice) -> None:
    """For commands without a page. Raises UsageError where a person would have to agree."""
    if choice.asks:
        raise UsageError(
            f"no sandbox works here, and code runs without one only where that is said. "
            f"{choice.why}",
            hint="say it with --sandbox none, or: " + (choice.mend or ""),
        )


def cage_options(settings: Settings, memory: int | None = None) -> CageOptions:
    """What the kernel manager has to know. Raises UsageError for a folder that may not be read."""
    hidden = [settings.data_dir, Path.cwd() / DOTENV]
    if settings.log_file is not None:
        hidden.append(settings.log_file)
    return CageOptions(
        allow_read=[str(check_readable(path, settings.data_dir)) for path in settings.allow_read],
        hidden=[str(path) for path in hidden],
        processes=settings.kernel_processes,
        file_bytes=settings.kernel_file_bytes,
        tmp_bytes=settings.kernel_tmp_bytes,
        memory_bytes=settings.kernel_memory.of(memory or total_memory()),
        workspace_bytes=settings.workspace_bytes,
        workspace_files=settings.workspace_files,
        free_bytes=settings.disk_free_bytes,
    )


def check_readable(path: Path, data_dir: Path) -> Path:
    """A folder or file of --allow-read, if code may read it. Raises UsageError."""
    if not path.exists():
        raise UsageError(f"--allow-read {path} is not there")
    real = path.resolve()
    for other, name in ((_home(), "the home folder"), (data_dir.resolve(), "the data folder")):
        if other is not None and (real == other or real in other.parents):
            raise UsageError(
                f"--allow-read {path} would show {name} to code", hint="name folders inside it"
            )
    if data_dir.resolve() in real.parents:
        raise UsageError(f"--allow-read {path} lies in the data folder")
    return path


def check_root(settings: Settings) -> None:
    """Raises UsageError for root, unless that was meant."""
    if settings.allow_root or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    raise UsageError(
        "as root, a fault in the sandbox would open the whole system",
        hint="start it as an ordinary user; in a container, say --allow-root or set "
        "GPTCODE_ALLOW_ROOT=1",
    )


def total_memory() -> int:
    """Bytes that this machine, or the container it is, has in all."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 << 30
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found = min(found, int(Path(path).read_text()))
        except (OSError, ValueError):
            continue
    return found


class _Kept(BaseModel):
    """The file."""

    run_without_sandbox: bool = False


def _read(path: Path) -> bool:
    try:
        return _Kept.model_validate_json(path.read_bytes()).run_without_sandbox
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read and is asked for again: %s", path, error)
        return False


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None
