"""A notebook's file: written whole or not at all, and never in place of one that is not ours.

A new text is put beside the file under a hidden name and then takes its place, so that whoever
looks, at any instant, finds the old one or the new one. The hidden name is one that a workspace
sweeps away, should the process be killed between the two. The folder may be one that code writes
into meanwhile: it is reached by descriptors, and no link on the way or in it is followed.
"""

import json
import os
import secrets
import stat
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from gpt_code_ui.errors import GptCodeError, UsageError
from gpt_code_ui.workspace.folder import open_file, opened_folder
from gpt_code_ui.workspace.names import folded, untaken

ENDING = ".ipynb"
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
UNSAFE = {ord(char): " " for char in '/\\:*?"<>|\r\n\t\0'}
LONGEST_STEM = 80
LARGEST = 256 * 1024**2


def stem_from(title: str) -> str:
    """A file name without its ending, from a title; from the day where there is none."""
    stem = " ".join(title.translate(UNSAFE).split())[:LONGEST_STEM].strip(" .")
    return stem or f"conversation {datetime.now().astimezone():%Y-%m-%d}"


def checked_path(path: Path) -> Path:
    """Where a notebook named on the command line goes: ``.ipynb`` is added. Raises UsageError.

    Links of the person's are followed here, before any code runs, and never again.
    """
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="make it, or name another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {folder} cannot be written")
    if path.is_dir():
        return path.resolve()
    name = path.name if path.suffix == ENDING else path.name + ENDING
    return folder.resolve() / name


def read_notebook(path: Path) -> Any:
    """The JSON of a regular file that is not too large. Raises OSError, ValueError."""
    try:
        with opened_folder(Path(path.anchor), list(path.parent.parts[1:])) as folder:
            handle, status = open_file(folder, path.name, hard_links=True)
    except GptCodeError as error:
        raise OSError(str(error)) from error
    with os.fdopen(handle, "rb") as file:
        if status.st_size > LARGEST:
            raise ValueError("too large")
        try:
            return json.loads(file.read(LARGEST))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def is_ours(path: Path, conversation_id: str | None = None) -> bool:
    """Whether the file is a notebook that this product wrote, of that conversation if named."""
    try:
        ours = read_notebook(path)["metadata"]["gptcode"]
        return "format" in ours and conversation_id in (None, ours.get("conversation"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


class NotebookFile:
    """One file. ``path`` is settled with the first write; raises OSError where that fails."""

    def __init__(self, path: Path, *, is_new: bool = True) -> None:
        """``is_new``: the name is given up for a free one if it is taken by then."""
        self.path = path
        self._is_new = is_new

    def write(self, text: str) -> None:
        """Make ``text`` the file's content."""
        parent = self.path.parent.absolute()
        try:
            with opened_folder(Path(parent.anchor), list(parent.parts[1:])) as folder:
                self._write_in(folder, text)
        except GptCodeError as error:
            raise OSError(str(error)) from error

    def _write_in(self, folder: int, text: str) -> None:
        temporary = f".{self.path.name}.{secrets.token_hex(6)}.part"
        handle = os.open(temporary, NEW_FILE, 0o666, dir_fd=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                if not self._is_new:
                    self._keep_rights(folder, file.fileno())
                os.fsync(file.fileno())
            if self._is_new:
                self._take_name(folder, temporary)
            else:
                os.replace(temporary, self.path.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)

    def _keep_rights(self, folder: int, handle: int) -> None:
        """By its descriptor: behind the name may stand another file by now."""
        with suppress(OSError):
            before = os.stat(self.path.name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(before.st_mode):
                os.fchmod(handle, before.st_mode & 0o777)

    def _take_name(self, folder: int, temporary: str) -> None:
        """The first free name like the wanted one, by a link, which never replaces anything."""
        wanted = self.path.name
        taken = {folded(name) for name in os.listdir(folder)}
        while True:
            name = untaken(wanted, taken)
            try:
                os.link(
                    temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False
                )
            except FileExistsError:
                taken.add(folded(name))
                continue
            except OSError:
                # Some file systems know no links.
                if name in os.listdir(folder):
                    raise
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            self.path, self._is_new = self.path.with_name(name), False
            return
