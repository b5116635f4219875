"""One gptcode for each data folder: a lock the system drops with the process, and a note beside it.

The note (0600) says where the running one listens and holds a secret that is good for one thing,
asking it for a fresh address to open.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from gpt_code_ui.errors import UsageError

LOCK = "lock"
NOTE = "instance.json"
# How long a start that holds the lock may take until its note is there.
STARTING_S = 5.0
ANSWER_S = 5.0


@dataclass(frozen=True)
class Note:
    """Where a running gptcode is."""

    pid: int
    url: str
    secret: str


class Instance:
    """The hold on a data folder, kept until ``release`` or the end of the process."""

    def __init__(self, data_dir: Path, handle: int) -> None:
        self._note = data_dir / NOTE
        self._handle = handle
        self._note.unlink(missing_ok=True)

    @classmethod
    def acquire(cls, data_dir: Path) -> "Instance | None":
        """Take the folder; None when another process has it. Raises UsageError."""
        try:
            handle = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UsageError(
                f"the data folder {data_dir} cannot be written: {error.strerror}",
                hint="choose another with --data-dir",
            ) from error
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            return None
        return cls(data_dir, handle)

    def announce(self, url: str, secret: str) -> None:
        """Let a second start find this one."""
        note = json.dumps(asdict(Note(os.getpid(), url, secret))).encode()
        handle = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(note)

    def release(self) -> None:
        """Let the folder go."""
        self._note.unlink(missing_ok=True)
        os.close(self._handle)


def fresh_address(data_dir: Path) -> str:
    """The address of the gptcode that has the folder, with a fresh code. Raises UsageError."""
    note = _wait_for_note(data_dir)
    if note is None:
        raise UsageError(
            f"another gptcode has the data folder {data_dir} and does not say where it is",
            hint="end it, or choose another --data-dir",
        )
    parts = urlsplit(note.url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=ANSWER_S)
    try:
        headers = {"Authorization": f"Bearer {note.secret}", "Host": parts.netloc}
        connection.request("POST", "/api/session/code", headers=headers)
        return f"{note.url}/#code={json.loads(connection.getresponse().read())['code']}"
    except (OSError, HTTPException, ValueError, KeyError) as error:
        raise UsageError(
            f"another gptcode (process {note.pid}) has the data folder {data_dir} and does not "
            "answer",
            hint="end it, or choose another --data-dir",
        ) from error
    finally:
        connection.close()


def _wait_for_note(data_dir: Path) -> Note | None:
    deadline = time.monotonic() + STARTING_S
    while True:
        try:
            return Note(**json.loads((data_dir / NOTE).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            if time.monotonic() > deadline:
                return None
            # The other one is starting, and there is no one to tell us when it is done.
            time.sleep(0.05)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
