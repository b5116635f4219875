"""What a workspace held before each cell, and the journal of the cells that ran in it.

``states/`` has the files by path with mark and content, one file per different state; the journal
has a line when a cell begins (its state) and one when it ended (what it changed). Both processes
only ever add; a line that a crash cut is passed over.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gpt_code_ui.workspace.objects import NAME, Objects
from gpt_code_ui.workspace.snapshot import Mark


class Version(NamedTuple):
    """A file at a moment: its mark, and the sha256 of its content where that is kept."""

    mark: Mark
    sha256: str | None


Files = dict[str, Version]


@dataclass
class Run:
    """One run of a cell. ``after``: the marks of what it made or changed; None if it never ended.

    ``at`` is in seconds since 1970.
    """

    cell_id: str
    at: float
    before: str
    after: dict[str, Mark] | None = None
    removed: list[str] = field(default_factory=list)


class Versions:
    """The versions of one conversation's files, below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = Objects(root / "objects")
        self._states = root / "states"
        self._journal = root / "journal.jsonl"

    # --- writing

    def save_state(self, files: Mapping[str, Version]) -> str:
        """Keep what the files were; the name by which ``state`` finds it. OSError."""
        text = json.dumps({path: [*one.mark, one.sha256] for path, one in sorted(files.items())})
        name = hashlib.sha256(text.encode()).hexdigest()
        place = self._states / f"{name}.json"
        if not place.exists():
            self._states.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary = place.with_suffix(f".{os.getpid()}")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(place)
        return name

    def begin(self, cell_id: str, state: str) -> None:
        """Note that a cell is about to run. OSError."""
        self._note({"cell": cell_id, "at": time.time(), "before": state})

    def end(self, cell_id: str, after: Mapping[str, Mark], removed: Iterable[str]) -> None:
        """Note what the cell did to the files. OSError."""
        self._note({"cell": cell_id, "after": after, "removed": list(removed)})

    def copy_runs(self, other: "Versions", runs: Iterable[Run]) -> None:
        """Take over runs with all they need; objects are shared, for no kernel writes to them."""
        for run in runs:
            files = other.state(run.before)
            for sha256 in {one.sha256 for one in files.values() if one.sha256}:
                self._share(other.objects.path(sha256), self.objects.path(sha256))
            self._note({"cell": run.cell_id, "at": run.at, "before": self.save_state(files)})
            if run.after is not None:
                self.end(run.cell_id, run.after, run.removed)

    def _share(self, source: Path, target: Path) -> None:
        if target.exists() or not source.exists():
            return
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.link(source, target)

    def _note(self, line: Mapping[str, object]) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whole lines, each begun on a new one, so that a cut one harms no other.
        text = "\n" + json.dumps(line) + "\n"
        descriptor = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    # --- reading

    def state(self, name: str) -> Files:
        """The files of a state; none where it cannot be read."""
        if not NAME.fullmatch(name):
            return {}
        try:
            rows = json.loads((self._states / f"{name}.json").read_text("utf-8"))
            return {
                str(path): Version((int(ns), int(size), int(inode)), sha256)
                for path, (ns, size, inode, sha256) in rows.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        try:
            lines = self._journal.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        runs: list[Run] = []
        open_runs: dict[str, Run] = {}
        for line in filter(None, lines):
            try:
                self._read(json.loads(line), runs, open_runs)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        return runs

    def _read(self, row: Mapping[str, object], runs: list[Run], open_runs: dict[str, Run]) -> None:
        cell_id = str(row["cell"])
        if "before" in row:
            run = Run(cell_id, float(str(row["at"])), str(row["before"]))
            runs.append(run)
            open_runs[cell_id] = run
        elif run_ended := open_runs.pop(cell_id, None):
            after, removed = row["after"], row["removed"]
            if isinstance(after, dict) and isinstance(removed, list):
                run_ended.after = {str(p): (m[0], m[1], m[2]) for p, m in after.items()}
                run_ended.removed = [str(path) for path in removed]
