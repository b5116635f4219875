"""The files of a conversation as they were: brought back, or put into another folder.

What a cell changed is known from the journal of its runs. Nothing is destroyed unsaid: what a
revert replaces is kept first, and what was changed since is told before it is touched.
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from gpt_code_ui.errors import ChangedLater, GptCodeError, NotFound, NotKept
from gpt_code_ui.protocol import FileChanges
from gpt_code_ui.workspace import Files, Mark, Run, Version, Versions, Workspace, mark_of

# Runs of the product itself, which put the files back as they were.
OWN_RUNS = "replay-"
SHOWN = 5
CHUNK = 1024 * 1024


@dataclass
class Reverted:
    """What a revert did; ``revert_id`` names it, to be reverted itself."""

    revert_id: str
    files: FileChanges
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Inputs:
    """What the cells of a conversation were given: ``first`` before any ran, and ``before`` a
    cell what the person added, changed or removed since the one before it.
    """

    first: Files
    before: Mapping[str, Mapping[str, Version | None]]


class FileHistory:
    """One conversation's versions and the folder it works in."""

    def __init__(self, versions: Versions, workspace: Workspace) -> None:
        self._versions = versions
        self._workspace = workspace

    # --- reverting

    def revert(self, cell_id: str, revert_id: str, *, force: bool = False) -> Reverted:
        """Undo what the last run of a cell did to the files.

        Raises NotFound (it changed nothing), ChangedLater and NotKept (an earlier version); with
        ``force`` all that can be reverted is.
        """
        run = self._last_run(cell_id)
        wanted = self._before(run)
        lost = [p for p, version in wanted.items() if version and not self._is_kept(version)]
        if lost and (not force or len(lost) == len(wanted)):
            raise NotKept(
                f"What {_named(lost)} held before was not kept.",
                hint="It was too large, or there was no room for versions: "
                "GPTCODE_SNAPSHOT_FILE_BYTES and GPTCODE_SNAPSHOT_BYTES set how much is kept.",
            )
        later = [path for path in wanted if self._mark(path) != (run.after or {}).get(path)]
        if later and not force:
            raise ChangedLater(
                f"{_named(later)} changed again after this cell.",
                hint="Reverting replaces that too; what is there now is kept and can be had back.",
            )
        return self._put_back({p: v for p, v in wanted.items() if p not in lost}, revert_id, lost)

    def _last_run(self, cell_id: str) -> Run:
        for run in reversed(self._versions.runs()):
            if run.cell_id == cell_id and (run.after or run.removed):
                return run
        raise NotFound("Nothing is known of files that this cell changed.")

    def _before(self, run: Run) -> dict[str, Version | None]:
        files = self._versions.state(run.before)
        return {path: files.get(path) for path in (*(run.after or {}), *run.removed)}

    def _put_back(
        self, wanted: Mapping[str, Version | None], revert_id: str, lost: list[str]
    ) -> Reverted:
        now = {path: version for path in wanted if (version := self._keep(path))}
        self._versions.begin(revert_id, self._versions.save_state(now))
        changes = FileChanges()
        for path, version in wanted.items():
            if version is None:
                if path in now:
                    self._workspace.delete(path)
                    changes.removed.append(path)
                continue
            self._write(self._workspace, path, version)
            (changes.changed if path in now else changes.added).append(path)
        after = {path: mark for path in wanted if (mark := self._mark(path))}
        self._versions.end(revert_id, after, changes.removed)
        return Reverted(revert_id, changes, lost)

    def _keep(self, path: str) -> Version | None:
        """What is there now, kept; None if nothing is."""
        with suppress(NotFound):
            with self._workspace.open(path)[0] as file:
                mark = mark_of(os.fstat(file.fileno()))
                return Version(mark, self._versions.objects.put(file)[0])
        return None

    # --- other times and places

    def inputs(self, cells: Collection[str]) -> Inputs:
        """What was given to these cells; a later change counts for the next of them that ran."""
        runs = self._versions.runs()
        if not runs:
            return Inputs(self.current(), {})
        first = self._versions.state(runs[0].before)
        before: dict[str, dict[str, Version | None]] = {}
        pending: dict[str, Version | None] = {}
        expected: Files = dict(first)
        for run in runs:
            files = self._versions.state(run.before)
            if run.cell_id.startswith(OWN_RUNS):
                _learn(expected, files)
                continue
            pending |= {p: v for p, v in files.items() if not _same(expected.get(p), v)}
            pending |= dict.fromkeys(expected.keys() - files.keys())
            if run.cell_id in cells and pending:
                before.setdefault(run.cell_id, {}).update(pending)
                pending = {}
            made = {path: Version(mark, None) for path, mark in (run.after or {}).items()}
            expected = files | made
            for path in run.removed:
                expected.pop(path, None)
        return Inputs(first, before)

    def runs_before(self, moment: float) -> list[Run]:
        """The runs that began before a moment, in seconds since 1970."""
        return [run for run in self._versions.runs() if run.at < moment]

    def at(self, moment: float) -> Files:
        """The files as the first run after a moment found them, else as they are now."""
        for run in self._versions.runs():
            if run.at >= moment:
                return self._versions.state(run.before)
        return self.current()

    def current(self) -> Files:
        """The files as they are now; with their content where that is kept."""
        kept = {v.mark: v for run in self._versions.runs()[-1:]
                for v in self._versions.state(run.before).values()}  # fmt: skip
        marks = self._workspace.snapshot().files
        return {path: kept.get(mark, Version(mark, None)) for path, mark in marks.items()}

    def keep_current(self, name: str, limit: int) -> tuple[Files, bool]:
        """Keep every file as it is now, noted under ``name``; whether that was possible.

        A file of more than ``limit`` bytes is not read.
        """
        files = self.current()
        for path, version in files.items():
            if version.sha256 is None and version.mark[1] <= limit:
                files[path] = self._keep(path) or version
        self._versions.begin(name, self._versions.save_state(files))
        return files, all(version.sha256 for version in files.values())

    def noted(self, name: str) -> Files | None:
        """What ``keep_current`` kept under that name."""
        runs = [run for run in self._versions.runs() if run.cell_id == name]
        return self._versions.state(runs[-1].before) if runs else None

    def put(self, files: Mapping[str, Version | None], target: Workspace) -> list[str]:
        """Write files into another folder, None removes one; the paths that could not be had."""
        missing = []
        for path, version in files.items():
            try:
                if version is None:
                    with suppress(NotFound):
                        target.delete(path)
                else:
                    self._write(target, path, version)
            except (GptCodeError, OSError):
                missing.append(path)
        return missing

    def make(self, files: Files, target: Workspace, *, limit: int | None = None) -> list[str]:
        """Make a folder hold these files and no others; the paths that could not be had.

        With ``limit`` that many bytes at most, the smallest files first.
        """
        present = target.snapshot().files
        wanted: dict[str, Version | None] = dict.fromkeys(present.keys() - files.keys())
        too_much = []
        for path, version in sorted(files.items(), key=lambda one: one[1].mark[1]):
            limit = limit if limit is None else limit - version.mark[1]
            if limit is not None and limit < 0:
                too_much.append(path)
            else:
                wanted[path] = version
        return [*self.put(wanted, target), *too_much]

    def _write(self, target: Workspace, path: str, version: Version) -> None:
        """Raises NotFound if that version is not to be had any more."""
        if version.sha256 and self._is_kept(version):
            chunks = self._versions.objects.chunks(version.sha256)
            target.save(path, chunks, size=version.mark[1], replace=True)
            return
        file, _ = self._workspace.open(path)
        with file:
            if mark_of(os.fstat(file.fileno())) != version.mark:
                raise NotFound(f"{path} is no longer what it was.")
            target.save(path, iter(lambda: file.read(CHUNK), b""), replace=True)

    def _is_kept(self, version: Version) -> bool:
        try:
            return (
                version.sha256 is not None and self._versions.objects.path(version.sha256).is_file()
            )
        except ValueError:
            return False

    def _mark(self, path: str) -> Mark | None:
        try:
            with self._workspace.open(path)[0] as file:
                return mark_of(os.fstat(file.fileno()))
        except GptCodeError:
            return None


def _same(known: Version | None, now: Version) -> bool:
    if known is None:
        return False
    return known.mark == now.mark or (known.sha256 is not None and known.sha256 == now.sha256)


def _learn(expected: Files, kept: Files) -> None:
    """What was kept before cells were run again by us is content that is known since."""
    for path, version in kept.items():
        if path in expected and expected[path].mark == version.mark:
            expected[path] = version


def _named(paths: list[str]) -> str:
    more = len(paths) - SHOWN
    named = ", ".join(paths[:SHOWN])
    return f"{named} and {more} more" if more > 0 else named
