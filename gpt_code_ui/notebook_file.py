"""A notebook's file: written whole or not at all, and never in place of one that is not ours.

A new text is put beside the file under a hidden name and then takes its place, so that whoever
looks, at any instant, finds the old one or the new one. The hidden name is one that a workspace
sweeps away, should the process be killed between the two.
"""

import json
import os
import secrets
import stat
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from gpt_code_ui.errors import UsageError
from gpt_code_ui.workspace.names import folded, untaken

ENDING = ".ipynb"
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
UNSAFE = {ord(char): " " for char in '/\\:*?"<>|\r\n\t\0'}
LONGEST_STEM = 80
LARGEST = 1024**3


def stem_from(title: str) -> str:
    """A file name without its ending, from a title; from the day where there is none."""
    stem = " ".join(title.translate(UNSAFE).split())[:LONGEST_STEM].strip(" .")
    return stem or f"conversation {datetime.now().astimezone():%Y-%m-%d}"


def checked_path(path: Path) -> Path:
    """Where a notebook named on the command line goes: ``.ipynb`` is added. Raises UsageError."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="make it, or name another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {folder} cannot be written")
    if path.is_dir() or path.suffix == ENDING:
        return path
    return path.with_name(path.name + ENDING)


def is_ours(path: Path, conversation_id: str | None = None) -> bool:
    """Whether the file is a notebook that this product wrote, of that conversation if named."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return False
        ours = json.loads(path.read_text("utf-8"))["metadata"]["gptcode"]
        return "format" in ours and conversation_id in (None, ours.get("conversation"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


class NotebookFile:
    """One file. ``path`` is settled with the first write; raises OSError where that fails."""

    def __init__(self, path: Path, *, is_new: bool = True) -> None:
        """``is_new``: the name is given up for a free one if it is taken by then."""
        self.path = path
        self._is_new = is_new

    def write(self, text: str) -> None:
        """Make ``text`` the file's content."""
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}.part")
        handle = os.open(temporary, NEW_FILE, 0o666)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if self._is_new:
                self._take_name(temporary)
            else:
                with suppress(OSError):
                    temporary.chmod(self.path.stat().st_mode & 0o777)
                temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _take_name(self, temporary: Path) -> None:
        """The first free name like the wanted one, by a link, which never replaces anything."""
        wanted = self.path.name
        taken = {folded(one.name) for one in self.path.parent.iterdir()}
        while True:
            path = self.path.with_name(untaken(wanted, taken))
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                taken.add(folded(path.name))
                continue
            except OSError:
                # Some file systems know no links.
                if path.exists():
                    raise
                temporary.replace(path)
            self.path, self._is_new = path, False
            return
