"""A conversation's folder, in which the person and the kernel's code both write.

Nothing found in it is trusted: paths are walked by descriptors, links are not followed, special
files are not opened. A file that is being saved has a hidden name until it is whole.
"""

import errno
import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gpt_code_ui.errors import BadRequest, Forbidden, GptCodeError, InvalidValue, NoRoom, NotFound
from gpt_code_ui.protocol import FileEntry
from gpt_code_ui.workspace.archive import zip_chunks
from gpt_code_ui.workspace.folder import Budget, leftovers, open_file, opened_folder, walk
from gpt_code_ui.workspace.keeper import Keeper
from gpt_code_ui.workspace.names import folded, parts_to_read, parts_to_write, untaken
from gpt_code_ui.workspace.snapshot import Mark, Snapshot, diff, mark_of, take
from gpt_code_ui.workspace.versions import Files, Run, Version, Versions

__all__ = [
    "Files", "Keeper", "Mark", "Run", "Snapshot", "Version", "Versions", "Workspace", "diff",
    "mark_of",
]  # fmt: skip

log = logging.getLogger(__name__)

PART = re.compile(r"\..+\.[0-9a-f]{12}\.part")  # the name of a file that is being saved
FLOOR_BYTES = 64 * 1024**2  # left free for everything else on the disk
CHECK_ROOM_EVERY_BYTES = 16 * 1024**2
NEW_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Parts = list[str]  # a path, taken apart
Made = list[Parts]  # folders made for a file, outermost first
Entries = list[FileEntry]


class Workspace:
    """The folder at ``root``, which exists. Paths are relative, with ``/``.

    ``in_place``: a folder the person keeps, where a file may have several names (hard links);
    in a folder of ours only code can have made one, perhaps to reach what it names.
    """

    def __init__(self, root: Path, *, in_place: bool = False) -> None:
        self.root = root
        self.in_place = in_place
        self._hard_links = in_place

    def save(
        self, path: str, chunks: Iterable[bytes], *, size: int | None = None, replace: bool = False
    ) -> FileEntry:
        """Write a file as its bytes come; it appears when it is whole.

        A taken name gets a suffix unless ``replace``; the entry has the path that was used.
        Raises InvalidValue (the name), NoRoom (nothing is left behind), BadRequest (fewer bytes
        than ``size``), Forbidden (a folder on the way is a link).
        """
        *folders, name = parts_to_write(path)
        made: Made = []
        try:
            with _disk(path):
                self._refuse_without_room(size or 0)
                self._make_folders(folders, made)
            with opened_folder(self.root, folders) as folder:
                return self._save_in(folder, [*folders, name], chunks, size, replace)
        except BaseException:
            self._remove_empty(made)
            raise

    def open(self, path: str) -> tuple[BinaryIO, FileEntry]:
        """A regular file, for reading. Raises NotFound, InvalidValue and Forbidden (a link)."""
        *folders, name = parts_to_read(path)
        with opened_folder(self.root, folders) as folder:
            descriptor, status = open_file(folder, name, hard_links=self._hard_links)
        return os.fdopen(descriptor, "rb"), _entry(path, status)

    def list(self) -> Entries:
        """The files, folder by folder; hidden ones, links and special files are left out."""
        return self.listing()[0]

    def listing(self) -> tuple[Entries, bool]:
        """The same, and whether these are all: no more names are looked at than a walk may."""
        budget = Budget()
        with opened_folder(self.root, []) as folder:
            found = [
                _entry(one.path, one.status)
                for one in walk(folder, budget, hard_links=self._hard_links)
            ]
        return found, budget.left > 0

    def delete(self, path: str) -> None:
        """Remove a file, or a link but not what it points to. Raises NotFound, InvalidValue."""
        *folders, name = parts_to_read(path)
        with opened_folder(self.root, folders) as folder:
            with _disk(path):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    raise InvalidValue(f"{path} is a folder.")
                os.unlink(name, dir_fd=folder)

    def zip_stream(self) -> Iterator[bytes]:
        """Everything that ``list`` shows, as the bytes of a ZIP."""
        with opened_folder(self.root, []) as folder:
            yield from zip_chunks(folder, hard_links=self._hard_links)

    def snapshot(self) -> Snapshot:
        """What is there now, for ``diff``."""
        with opened_folder(self.root, []) as folder:
            return take(folder)

    def sweep(self) -> None:
        """Remove what is left of uploads that were killed; call it while none can run."""
        with opened_folder(self.root, []) as folder:
            for path, below, name in leftovers(folder, PART):
                log.info("removing an unfinished upload: %s", path)
                with suppress(OSError):
                    os.unlink(name, dir_fd=below)

    def _save_in(
        self,
        folder: int,
        parts: Parts,
        chunks: Iterable[bytes],
        size: int | None,
        replace: bool,
    ) -> FileEntry:
        path, name = "/".join(parts), parts[-1]
        temporary = f".{name}.{secrets.token_hex(6)}.part"
        with _disk(path):
            descriptor = os.open(temporary, NEW_FILE_FLAGS, 0o666, dir_fd=folder)
            target = os.fdopen(descriptor, "wb")
        try:
            self._copy(path, chunks, target, size)
            with _disk(path):
                name = name if replace else _reserve(folder, name)
                status = _move(folder, temporary, name)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        return _entry("/".join([*parts[:-1], name]), status)

    def _copy(self, path: str, chunks: Iterable[bytes], target: BinaryIO, size: int | None) -> None:
        """Write the chunks; what goes wrong in getting them is not ours to translate."""
        written = since_check = 0
        try:
            for chunk in chunks:
                with _disk(path):
                    target.write(chunk)
                written += len(chunk)
                since_check += len(chunk)
                if since_check >= CHECK_ROOM_EVERY_BYTES:
                    since_check = 0
                    self._refuse_without_room(0)
        finally:
            with _disk(path):
                target.close()
        if size is not None and written != size:
            raise BadRequest(f"{written} of {size} bytes came; nothing was kept.")

    def _refuse_without_room(self, size: int) -> None:
        free = shutil.disk_usage(self.root).free
        if free - FLOOR_BYTES < size:
            raise NoRoom(
                f"{size:,} bytes do not fit: {max(free - FLOOR_BYTES, 0):,} are free.",
                hint="Free some space on the disk and try again.",
            )

    def _make_folders(self, folders: Parts, made: Made) -> None:
        """Make what is missing on the way, and note it in ``made``."""
        for depth, name in enumerate(folders):
            with opened_folder(self.root, folders[:depth]) as parent:
                try:
                    os.mkdir(name, dir_fd=parent)
                    made.append(folders[: depth + 1])
                except FileExistsError:
                    if stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                        raise InvalidValue(f"{name} is a file, not a folder.") from None

    def _remove_empty(self, made: Made) -> None:
        for *folders, name in reversed(made):
            with suppress(OSError, GptCodeError), opened_folder(self.root, folders) as parent:
                os.rmdir(name, dir_fd=parent)


def _reserve(folder: int, wanted: str) -> str:
    """Take the first free name with an empty file, so that nobody else can."""
    taken = {folded(name) for name in os.listdir(folder)}
    while True:
        name = untaken(wanted, taken)
        try:
            os.close(os.open(name, NEW_FILE_FLAGS, 0o666, dir_fd=folder))
        except FileExistsError:
            taken.add(folded(name))
        else:
            return name


def _move(folder: int, temporary: str, name: str) -> os.stat_result:
    try:
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except IsADirectoryError as error:
        raise InvalidValue(f"{name} is a folder.") from error
    return os.stat(name, dir_fd=folder, follow_symlinks=False)


@contextmanager
def _disk(path: str) -> Iterator[None]:
    """Raise our own errors for those of the disk under ``path``."""
    try:
        yield
    except OSError as error:
        raise _ours(error, path) from error


def _ours(error: OSError, path: str) -> GptCodeError:
    if error.errno in NO_ROOM:
        return NoRoom("The disk is full; nothing was kept.", hint="Free some space and try again.")
    if error.errno in NOT_OURS:
        return Forbidden(f"{path} cannot be written: {error.strerror}.")
    if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
        return NotFound(f"There is no {path} in the workspace.")
    return GptCodeError(f"{path}: {error.strerror}.")


def _entry(path: str, status: os.stat_result) -> FileEntry:
    return FileEntry(path=path, size=status.st_size, modified=status.st_mtime)
