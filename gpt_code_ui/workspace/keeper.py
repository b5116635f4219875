"""Keeps versions of a workspace's files as its cells run; the kernel manager's side.

Before a cell, what has another mark than when it was last seen is kept, within limits. When
nothing changed no file is opened. What is not kept is remembered as such, to be told of the cell
that changes it.
"""

import logging
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.protocol import FileChanges, KeepVersions
from gpt_code_ui.workspace.folder import open_file, opened_folder
from gpt_code_ui.workspace.names import parts_to_read
from gpt_code_ui.workspace.snapshot import Mark, Snapshot, mark_of
from gpt_code_ui.workspace.versions import Files, Version, Versions

log = logging.getLogger(__name__)

BEFORE_S = 2.0


class Keeper:
    """The files of one workspace. Not thread-safe: cells run one at a time."""

    def __init__(self, folder: Path, limits: KeepVersions, seconds: float = BEFORE_S) -> None:
        """``seconds``: how long a cell waits for files to be kept."""
        self._folder = folder
        self._limits = limits
        self._seconds = seconds
        self._versions = Versions(Path(limits.dir))
        self._files: Files = {}
        self._state: str | None = None
        self._total = 0
        self._loaded = False
        # Those there was no time for; the next cell goes on with them.
        self._later: set[str] = set()

    def is_news(self, snapshot: Snapshot) -> bool:
        """Whether ``before`` has to read a file; if not, it takes no time to speak of."""
        return (
            not self._loaded
            or bool(self._later)
            or any(
                path not in self._files or self._files[path].mark != mark
                for path, mark in snapshot.files.items()
            )
        )

    def before(self, cell_id: str, snapshot: Snapshot) -> None:
        """Keep what the cell may change. A disk that refuses costs versions and no cell."""
        try:
            self._load()
            if self._take(snapshot) or self._state is None:
                self._state = self._versions.save_state(self._files)
            self._versions.begin(cell_id, self._state)
        except OSError as error:
            log.warning("versions of files are not kept: %s", error)

    def after(self, cell_id: str, snapshot: Snapshot, changes: FileChanges) -> list[str]:
        """Note what the cell did; the paths it changed or removed that were not kept."""
        marks = {path: snapshot.files[path] for path in (*changes.added, *changes.changed)}
        with suppress(OSError):
            self._versions.end(cell_id, marks, changes.removed)
        return [p for p in (*changes.changed, *changes.removed) if self._sha256(p) is None]

    def _sha256(self, path: str) -> str | None:
        known = self._files.get(path)
        return known.sha256 if known else None

    def _load(self) -> None:
        """What an earlier manager kept is known by its marks, and not kept again."""
        if self._loaded:
            return
        runs = self._versions.runs()
        self._files = self._versions.state(runs[-1].before) if runs else {}
        self._later = {path for path, one in self._files.items() if one.sha256 is None}
        self._total = self._versions.objects.total()
        self._loaded = True

    def _take(self, snapshot: Snapshot) -> bool:
        """Bring the files up to the snapshot; whether anything was different."""
        gone = self._files.keys() - snapshot.files.keys()
        for path in gone:
            del self._files[path]
        later, self._later = self._later & snapshot.files.keys(), set()
        news = {p for p, mark in snapshot.files.items() if self._mark(p) != mark} | later
        deadline = time.monotonic() + self._seconds
        for path in self._smallest_first(news, snapshot):
            mark = snapshot.files[path]
            if time.monotonic() > deadline:
                self._later.add(path)
            kept = None if path in self._later else self._keep(path, mark)
            self._files[path] = Version(mark, kept)
        return bool(gone or news)

    def _mark(self, path: str) -> Mark | None:
        known = self._files.get(path)
        return known.mark if known else None

    def _smallest_first(self, paths: Iterable[str], snapshot: Snapshot) -> list[str]:
        """Where not everything fits, most files do."""
        return sorted(paths, key=lambda path: snapshot.files[path][1])

    def _keep(self, path: str, mark: Mark) -> str | None:
        """Keep a file; None if it is too large, there is no room, or it changes meanwhile."""
        size = mark[1]
        if size > self._limits.file_bytes or self._total + size > self._limits.total_bytes:
            return None
        *folders, name = parts_to_read(path)
        try:
            with opened_folder(self._folder, folders) as folder:
                descriptor, status = open_file(folder, name, hard_links=self._limits.in_place)
            with os.fdopen(descriptor, "rb") as file:
                sha256, cost = self._versions.objects.put(file)
                same = mark == mark_of(status) == mark_of(os.fstat(file.fileno()))
        except (GptCodeError, OSError) as error:
            log.info("a version of a file is not kept: %s", error)
            return None
        self._total += cost
        return sha256 if same else None
