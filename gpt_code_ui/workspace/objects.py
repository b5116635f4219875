"""Contents of files, each kept once under its sha256, in a folder no kernel works in.

A file system that can clone a file shares its blocks (FICLONE); elsewhere it is copied. Never a
hard link: the kernel may write to what it made. An object is complete when it has its name.
"""

import hashlib
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024
FICLONE = 0x40049409  # linux/fs.h: share the blocks of another file
NAME = re.compile(r"[0-9a-f]{64}")


class Objects:
    """The objects below ``root``; any process may add to them at any time."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, source: BinaryIO) -> tuple[str, int]:
        """Keep what the open file holds: its sha256, and how many bytes that cost. OSError."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._root / f"new-{secrets.token_hex(6)}"
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as target:
                sha256 = _clone(source, target) or _copy(source, target)
                size = target.seek(0, os.SEEK_END)
            place = self.path(sha256)
            if place.exists():
                return sha256, 0
            place.parent.mkdir(mode=0o700, exist_ok=True)
            temporary.replace(place)
            return sha256, size
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()

    def path(self, sha256: str) -> Path:
        """Where an object lies, if it is kept. Raises ValueError for what is no sha256."""
        if not NAME.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a sha256")
        return self._root / sha256[:2] / sha256

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """An object, a piece at a time. Raises OSError where it is gone."""
        with self.path(sha256).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def total(self) -> int:
        """Bytes of all objects."""
        return sum(one.stat().st_size for one in self._root.glob("??/*")) if self.exist() else 0

    def exist(self) -> bool:
        """Whether anything was ever kept."""
        return self._root.is_dir()


def digest(file: BinaryIO) -> str:
    """The sha256 of what is left of an open file."""
    found = hashlib.sha256()
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()


def _clone(source: BinaryIO, target: BinaryIO) -> str | None:
    """Share the blocks of ``source``; None where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return None
    import fcntl

    try:
        fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
    except OSError:
        return None
    target.seek(0)
    return digest(target)


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    found = hashlib.sha256()
    while chunk := source.read(CHUNK):
        found.update(chunk)
        target.write(chunk)
    return found.hexdigest()
