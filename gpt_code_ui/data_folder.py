"""The data folder: what lies where in it, and which folder each conversation works in.

Only its owner can look at what is ours in it. A conversation that was begun in a person's own
folder is tied to it by a link, so that it finds its files again however the product is started
next time.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from gpt_code_ui.errors import NotFound, UsageError


class DataFolder:
    """Paths below one data folder. Raises UsageError if it cannot be made or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "gptcode.db"
        self.sessions = path / "sessions.json"
        self.consent = path / "consent.json"
        self.outputs = path / "outputs"
        self._workspaces = path / "workspaces"
        self._versions = path / "versions"
        self._packages = path / "packages"
        if path in (Path(path.anchor), _home()):
            raise UsageError(f"{path} cannot be the data folder", hint="name a folder of its own")
        try:
            self._make()
        except OSError as error:
            raise UsageError(
                f"the data folder {path} cannot be written: {error.strerror}",
                hint="choose another with --data-dir",
            ) from error

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A folder that others use (/tmp, say) is not closed to them: what lies in it is private.
        if not any(self.path.iterdir()):
            with suppress(PermissionError):
                self.path.chmod(0o700)
        for folder in (self.outputs, self._workspaces, self._versions):
            folder.mkdir(mode=0o700, exist_ok=True)
        # Scratch copies that a crash left.
        shutil.rmtree(self.path / "replays", ignore_errors=True)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")

    def output_dir(self, conversation_id: str) -> Path:
        """Where the whole outputs of a conversation's cells are kept."""
        return self.outputs / conversation_id

    def version_dir(self, conversation_id: str) -> Path:
        """Where versions of a conversation's files are kept."""
        return self._versions / conversation_id

    def packages(self, conversation_id: str) -> Path:
        """Where what a conversation's code installs goes; made when it is first needed."""
        return self._packages / conversation_id

    def workspace(self, conversation_id: str, begun_in: Path | None) -> Path:
        """The folder a conversation works in; ``begun_in`` is the person's own, for a new one.

        Raises NotFound when the person's folder has gone.
        """
        place = self._workspaces / conversation_id
        if not place.is_symlink():
            if begun_in is None or place.exists():
                place.mkdir(mode=0o700, exist_ok=True)
                return place
            try:
                place.symlink_to(begun_in, target_is_directory=True)
            except OSError:
                # Windows lets few people make links: there the tie holds until the next start.
                return begun_in
        target = place.readlink()
        if not target.is_dir():
            raise NotFound(
                f"The folder {target} is gone.", hint="Put it back, or begin a new conversation."
            )
        return target


def check_folder(folder: Path, data_dir: Path) -> Path:
    """The person's own folder, if it may be worked in. Raises UsageError."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="gptcode [FOLDER] takes a folder")
    real, data = folder.resolve(), data_dir.resolve()
    if real == Path(real.anchor):
        raise UsageError(f"{folder} cannot be worked in: it is the whole system")
    if real == _home():
        raise UsageError(
            f"{folder} cannot be worked in: it is the home folder", hint="name a folder inside it"
        )
    if real == data or real in data.parents or data in real.parents:
        raise UsageError(
            f"{folder} cannot be worked in: it and the data folder {data_dir} lie in one another",
            hint="name another folder, or another --data-dir",
        )
    if not os.access(real, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written")
    return real


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None
