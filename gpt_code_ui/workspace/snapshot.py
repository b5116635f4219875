"""What a folder held at a moment, to tell afterwards what became of its files."""

import os
from dataclasses import dataclass, field

from gpt_code_ui.protocol import FileChanges
from gpt_code_ui.workspace.folder import Budget, walk

Mark = tuple[int, int, int]  # modification time in ns, size in bytes, inode


@dataclass(frozen=True)
class Snapshot:
    """Marks by path. ``complete`` is false if there were more files than are looked at."""

    files: dict[str, Mark] = field(default_factory=dict)
    complete: bool = True


def take(folder: int) -> Snapshot:
    """A snapshot of what is below a folder's descriptor; no file is opened."""
    budget = Budget()
    files = {found.path: mark_of(found.status) for found in walk(folder, budget, hard_links=True)}
    return Snapshot(files, complete=budget.left > 0)


def mark_of(status: os.stat_result) -> Mark:
    """What tells a version of a file from the one before."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def diff(before: Snapshot, after: Snapshot) -> FileChanges:
    """What happened to the files between two snapshots; nothing if one of them is not complete."""
    if not (before.complete and after.complete):
        return FileChanges()
    old, new = before.files, after.files
    return FileChanges(
        added=sorted(new.keys() - old.keys()),
        changed=sorted(path for path in new.keys() & old.keys() if new[path] != old[path]),
        removed=sorted(old.keys() - new.keys()),
    )
