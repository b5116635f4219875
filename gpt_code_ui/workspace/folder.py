"""A folder walked by file descriptors, so that a link planted in it leads nowhere.

Every part of a path is opened relative to the one before and never followed if it is a link; a
swap between two calls therefore ends in an error, never outside. Only regular files are opened.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gpt_code_ui.errors import Forbidden, NotFound
from gpt_code_ui.workspace.names import is_listed

MAX_ENTRIES = 20_000
MAX_DEPTH = 64
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe that code left in the folder would wait for ever.
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Found:
    """A regular file met on a walk; ``folder`` is open only until the walk goes on."""

    path: str
    folder: int
    name: str
    status: os.stat_result


@contextmanager
def opened_folder(root: Path, parts: list[str]) -> Iterator[int]:
    """A descriptor of the folder ``parts`` below ``root``. Raises NotFound, Forbidden (a link)."""
    try:
        current = os.open(root, FOLDER_FLAGS)
    except PermissionError as error:
        raise Forbidden(f"The folder {root} may not be read.") from error
    except OSError as error:
        raise NotFound(f"The folder {root} is not there.") from error
    try:
        for part in parts:
            below = open_below(current, part)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def open_below(folder: int, name: str) -> int:
    """A descriptor of a folder in ``folder``; links are not followed."""
    try:
        return os.open(name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        raise _not_there(error, folder, name) from error


def open_file(folder: int, name: str, *, hard_links: bool) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file. Raises NotFound, Forbidden (a link)."""
    try:
        before = os.stat(name, dir_fd=folder, follow_symlinks=False)
        _refuse_special(before, name, hard_links)
        descriptor = os.open(name, FILE_FLAGS, dir_fd=folder)
    except OSError as error:
        raise _not_there(error, folder, name) from error
    try:
        status = os.fstat(descriptor)
        _refuse_special(status, name, hard_links)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status


def is_plain_file(status: os.stat_result, hard_links: bool) -> bool:
    """Whether a file is one of its own: not special, nor another name of a file elsewhere."""
    return stat.S_ISREG(status.st_mode) and (hard_links or status.st_nlink <= 1)


def _refuse_special(status: os.stat_result, name: str, hard_links: bool) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise Forbidden(f"{name} is a link, and links are not followed.")
    if stat.S_ISREG(status.st_mode) and not is_plain_file(status, hard_links):
        raise Forbidden(f"{name} is a second name of another file.")
    if not stat.S_ISREG(status.st_mode):
        raise NotFound(f"{name} is not a file.")


def _not_there(error: OSError, folder: int, name: str) -> Forbidden | NotFound:
    if error.errno == errno.ELOOP or (error.errno == errno.ENOTDIR and _is_link(folder, name)):
        return Forbidden(f"{name} is a link, and links are not followed.")
    if error.errno == errno.EACCES:
        return Forbidden(f"{name} may not be read.")
    return NotFound(f"There is no {name} in the workspace.")


def _is_link(folder: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


@dataclass
class Budget:
    """How many more names a walk may look at; 0 afterwards means it did not see everything."""

    left: int = MAX_ENTRIES


def walk(folder: int, budget: Budget, *, hard_links: bool) -> Iterator[Found]:
    """The shown regular files below ``folder``, sorted by name within each folder.

    Links, hidden and special files are passed over, and what vanishes meanwhile.
    """
    yield from _walk(folder, "", 0, budget, hard_links)


def _walk(
    folder: int, prefix: str, depth: int, budget: Budget, hard_links: bool
) -> Iterator[Found]:
    for name in _names(folder, budget):
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if is_plain_file(status, hard_links):
                yield Found(prefix + name, folder, name, status)
            if not stat.S_ISDIR(status.st_mode) or depth >= MAX_DEPTH:
                continue
            below = os.open(name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
        except OSError:
            continue  # gone since it was listed, or not ours to read
        try:
            yield from _walk(below, f"{prefix}{name}/", depth + 1, budget, hard_links)
        finally:
            os.close(below)


def _names(folder: int, budget: Budget) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_listed(entry.name):
                continue
            if budget.left == 0:
                break
            budget.left -= 1
            names.append(entry.name)
    return sorted(names)


def leftovers(folder: int, pattern: re.Pattern[str]) -> Iterator[tuple[str, int, str]]:
    """Path, folder and name of the files named like ``pattern``, hidden ones included."""
    seen = 0
    for path, folders, files, below in os.fwalk(".", dir_fd=folder):
        folders[:] = [name for name in folders if is_listed(name)]
        yield from ((f"{path}/{name}", below, name) for name in files if pattern.fullmatch(name))
        seen += len(folders) + len(files)
        if seen > MAX_ENTRIES:
            return
