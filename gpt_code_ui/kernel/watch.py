"""What a kernel takes of the machine: memory, processes, disk; looked at again and again.

No limit of the system fits: one on address space would forbid mapping a large file, a folder that
is bound has no quota, and root is not held to a number of processes.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gpt_code_ui.kernel.warden import descendants, kill_all
from gpt_code_ui.protocol import CageOptions

log = logging.getLogger(__name__)

BUSY_S = 0.5
IDLE_S = 5.0
# Folders are looked at for a twentieth of the time at most, however large they are.
DISK_SHARE = 20
DISK_S = 1.0
# A disk that was nearly full before is nobody's fault.
GROWTH_THAT_COUNTS = 16 << 20
FAIR_S = 1.0
# With the first processes of a cage all of it ends.
FIRST_OF_CAGE = 2
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Excess:
    """What went too far, and who has to end for it."""

    who: Literal["cell", "kernel"]
    reason: str


@dataclass(frozen=True)
class Disk:
    """What folders hold, in bytes on the disk and in files."""

    bytes: int = 0
    files: int = 0


class Watch:
    """One kernel's. ``pid`` is its warden: everything below it counts. ``look`` takes its time."""

    def __init__(self, options: CageOptions, pid: int, folders: Iterable[str]) -> None:
        self._options = options
        self._pid = pid
        self._folders = tuple(folders)
        self._began: Disk | None = None
        self._next_disk = 0.0

    def look(self) -> Excess | None:
        """The first thing that is too much; the first look sees where the folders begin."""
        return self._processes() or self._disk()

    def _processes(self) -> Excess | None:
        pids = descendants(self._pid)
        options = self._options
        used = {pid: usage(pid) for pid in pids}
        threads = sum(one[1] for one in used.values())
        if options.processes is not None and threads > options.processes:
            # At once: with each moment there are more of them to end.
            kill_all(pids[:FIRST_OF_CAGE])
            return Excess("kernel", f"The code ran more than {options.processes:,} processes")
        limit = options.memory_bytes
        sizes = {pid: one[0] for pid, one in used.items()}
        if (
            limit is not None
            and sum(sizes.values()) > limit
            and _shared_fairly(sizes, limit) > limit
        ):
            return Excess("kernel", f"The code used more than {in_words(limit)} of memory")
        return None

    def _disk(self) -> Excess | None:
        began = time.monotonic()
        if began < self._next_disk:
            return None
        now = measure(self._folders)
        took = time.monotonic() - began
        self._next_disk = time.monotonic() + max(DISK_S, DISK_SHARE * took)
        if self._began is None:
            self._began = now
        grown = now.bytes - self._began.bytes
        excess = self._too_large(grown, now.files - self._began.files)
        if excess is not None:
            self._began = None  # so that the next cell can tidy up
        return excess

    def _too_large(self, grown: int, files: int) -> Excess | None:
        options = self._options
        if options.workspace_bytes is not None and grown > options.workspace_bytes:
            size = in_words(options.workspace_bytes)
            return Excess("cell", f"The working folder grew by more than {size}")
        if options.workspace_files is not None and files > options.workspace_files:
            return Excess("cell", f"The code made more than {options.workspace_files:,} files")
        if grown > GROWTH_THAT_COUNTS and self._free() < options.free_bytes:
            return Excess("cell", f"Less than {in_words(options.free_bytes)} of the disk is free")
        return None

    def _free(self) -> int:
        try:
            disk = os.statvfs(self._folders[0])
        except OSError:
            return self._options.free_bytes
        return disk.f_bavail * disk.f_frsize


async def watch_over(watch: Watch, busy: asyncio.Event, tell: Callable[[Excess], None]) -> None:
    """Look for ever, often while a cell runs; ``tell`` hears on the loop's thread."""
    while True:
        try:
            excess = await asyncio.to_thread(watch.look)
        except Exception:
            log.exception("a kernel could not be looked at")
            excess = None
        if excess is not None:
            tell(excess)
        if busy.is_set():
            await asyncio.sleep(BUSY_S)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(busy.wait(), IDLE_S)


def usage(pid: int) -> tuple[int, int]:
    """Resident bytes and threads of a process; zeros when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[21]) * PAGE, int(fields[17])
    except (OSError, IndexError, ValueError):
        return 0, 0


def measure(folders: Iterable[str]) -> Disk:
    """What the folders hold; links are not followed, what cannot be read does not count."""
    total = files = 0
    waiting = list(folders)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue
    return Disk(total, files)


def in_words(size: int) -> str:
    """``4 GB``, ``512 MB``."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:,} bytes"


def _shared_fairly(sizes: Mapping[int, int], limit: int) -> int:
    """Resident bytes where what several processes share counts once; no more than has to be known.

    The largest are asked first. In a storm of forks each answer takes long: then the rest is left
    for the next look, and the number of processes tells before that.
    """
    total = 0
    until = time.monotonic() + FAIR_S
    for pid in sorted(sizes, key=lambda one: -sizes[one]):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            total += sizes[pid]
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:"))
        if total > limit or time.monotonic() > until:
            break
    return total
