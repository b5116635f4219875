"""Browsers that were let in: ids known by their hash only, for seven days, over restarts.

The file is 0600 and replaced whole; one that cannot be read counts as empty, one that cannot be
written costs no more than letting the browser in again after a restart.
"""

import hashlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gpt_code_ui.private_file import write_private

log = logging.getLogger(__name__)

LIFETIME_S = 7 * 24 * 3600
CAPACITY = 100


class Sessions:
    """The sessions of one data folder. Every method may be called from any thread."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._expiry = self._read()

    def begin(self) -> str:
        """A new session; the id is for the cookie alone and is not kept."""
        session = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            alive = sorted((end, key) for key, end in self._expiry.items() if end > now)
            self._expiry = {key: end for end, key in alive[-(CAPACITY - 1) :]}
            self._expiry[_hash(session)] = now + LIFETIME_S
            self._write()
        return session

    def knows(self, session: str) -> bool:
        """Whether the id was given out and has not expired."""
        with self._lock:
            return self._expiry.get(_hash(session), 0.0) > self._clock()

    def drop_all(self) -> None:
        """Lock every browser out."""
        with self._lock:
            self._expiry = {}
            self._write()

    def _read(self) -> dict[str, float]:
        try:
            table = json.loads(self._path.read_text("utf-8"))
            return {str(key): float(end) for key, end in table.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("the sessions in %s cannot be read: %s", self._path, error)
            return {}

    def _write(self) -> None:
        try:
            write_private(self._path, json.dumps(self._expiry).encode())
        except OSError as error:
            log.warning("the sessions cannot be kept in %s: %s", self._path, error)


def _hash(session: str) -> str:
    # The id is random and long, so a plain hash keeps it as well as a slow one would.
    return hashlib.sha256(session.encode("utf-8", "surrogateescape")).hexdigest()
