"""How much of the disk each conversation takes in the data folder, by what it is kept for.

Links are not followed: a person's own folder, worked in where it is, is not counted.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The folders that have one folder a conversation.
KINDS = ("workspaces", "outputs", "versions", "packages")
UNITS = ("bytes", "KB", "MB", "GB", "TB")


@dataclass(frozen=True)
class ConversationUse:
    """Bytes on the disk of one conversation, by kind; ``in_place``: its files lie elsewhere."""

    conversation_id: str
    bytes_of: dict[str, int]
    in_place: bool

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.bytes_of.values())


def disk_use(data: Path) -> list[ConversationUse]:
    """What lies in the data folder, the largest first."""
    found: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        for entry in _entries(data / kind):
            of_kind = found.setdefault(entry.name, {})
            of_kind[kind] = 0 if entry.is_symlink() else _size(entry)
    uses = [
        ConversationUse(id, sizes, (data / "workspaces" / id).is_symlink())
        for id, sizes in found.items()
    ]
    return sorted(uses, key=lambda use: (-use.total, use.conversation_id))


def said(size: int) -> str:
    """A size with the largest unit that keeps it at or above one."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{value:.0f} {UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:.1f} {UNITS[unit]}"
    )


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """What a folder holds; nothing where it cannot be looked into."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _size(entry: "os.DirEntry[str]") -> int:
    """Blocks that a file, or a folder with all in it, takes: a sparse file takes what it holds."""
    total, pending = 0, [entry]
    while pending:
        one = pending.pop()
        try:
            status = one.stat(follow_symlinks=False)
            # Windows does not say.
            total += getattr(status, "st_blocks", -(-status.st_size // 512)) * 512
            if one.is_dir(follow_symlinks=False):
                pending.extend(_entries(Path(one.path)))
        except OSError:
            continue
    return total
