"""Whether a ``.env`` may be believed that lies where code can write.

Code in the cage works in the person's folder, and what it left there as ``.env`` would be the
settings of the next start: no cage, another endpoint for the key, a command to run. Invariant: in
a folder that code has worked in, a ``.env`` counts only as it was when it was last believed.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from gpt_code_ui.errors import UsageError
from gpt_code_ui.private_file import write_private

log = logging.getLogger(__name__)

FILE = "folders.json"
LARGEST = 1 << 20


class TrustedDotenv:
    """What one data folder knows: the folders that were worked in, and each ``.env`` in them."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        known = _read(self._path)
        self._folders = {str(one) for one in known.get("folders", ())}
        self._digests = {str(k): str(v) for k, v in known.get("dotenv", {}).items()}

    def check(self, dotenv: Path) -> None:
        """Raises UsageError where code may have written it."""
        if not self._is_within_reach(dotenv):
            return
        if self._digests.get(_name(dotenv)) != _digest(dotenv):
            raise UsageError(
                f"{dotenv} was made or changed since code worked in this folder, and code may "
                "have done it",
                hint="look at what it says; if it is yours, start once more with --trust-env",
            )

    def note(self, dotenv: Path, folder: Path | None) -> None:
        """It is believed now; code will work in ``folder``."""
        before = (set(self._folders), dict(self._digests))
        if folder is not None:
            self._folders.add(str(folder.resolve()))
        if self._is_within_reach(dotenv):
            self._digests[_name(dotenv)] = _digest(dotenv)
        if before == (self._folders, self._digests):
            return
        value = {"folders": sorted(self._folders), "dotenv": self._digests}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, json.dumps(value, indent=1).encode())
        except OSError as error:
            raise UsageError(
                f"the data folder {self._path.parent} cannot be written: {error.strerror}",
                hint="choose another with --data-dir",
            ) from error

    def _is_within_reach(self, dotenv: Path) -> bool:
        if not dotenv.is_file():
            return False
        place = dotenv.parent.resolve()
        return any(str(one) in self._folders for one in (place, *place.parents))


def _name(dotenv: Path) -> str:
    return str(dotenv.parent.resolve() / dotenv.name)


def _digest(dotenv: Path) -> str:
    try:
        with dotenv.open("rb") as file:
            return hashlib.sha256(file.read(LARGEST)).hexdigest()
    except OSError as error:
        raise UsageError(f"{dotenv} cannot be read: {error.strerror}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
        return value if isinstance(value, dict) else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return {}
