"""Pictures as they may be sent, asked of the reader: the web process decodes none.

A picture of the workspace is read anew when it has changed, a figure is known by its bytes; what
was made of one is kept. A picture that is gone, broken or too large says so in its own place.
"""

import base64
import binascii
import contextlib
import hashlib
import logging
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from pydantic import BaseModel, ValidationError

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.profiles import ask
from gpt_code_ui.protocol import ChatMessage, Picture, UserMessage
from gpt_code_ui.reader_cage import ReaderCage
from gpt_code_ui.seeing import AGAIN
from gpt_code_ui.workspace import Workspace

log = logging.getLogger(__name__)

PICTURE_S = 10.0
ALL_S = 20.0
READERS = 2
KEPT_BYTES = 32 << 20
GONE = "the file is gone"
LATE = "it could not be read in time"
BROKEN = "it is not a valid picture"


@dataclass(frozen=True)
class PictureLimits:
    """``bytes`` and the longer ``edge`` in pixels of one picture, ``count`` in one request."""

    bytes: int = 600_000
    edge: int = 1568
    count: int = 4


class _Made(BaseModel):
    """What the reader answers."""

    media_type: str = ""
    width: int | None = None
    height: int | None = None
    data: str | None = None
    missing: str | None = None


class Pictures:
    """Pictures of any workspace. Every method may be called from any thread."""

    def __init__(
        self, limits: PictureLimits = PictureLimits(), cage: ReaderCage | None = None
    ) -> None:
        self._limits = limits
        self._cage = cage or ReaderCage()
        self._known: OrderedDict[object, _Made] = OrderedDict()
        self._kept = 0
        self._lock = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)

    def load(
        self,
        messages: Sequence[ChatMessage],
        workspace: Workspace,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[ChatMessage]:
        """The messages with their newest pictures as they may be sent, notes for the others.

        Of one file only the newest mention is sent: an older one meant what it held then.
        """
        deadline = time.monotonic() + ALL_S
        seen: set[str] = set()
        room = self._limits.count

        def ready(picture: Picture) -> Picture:
            nonlocal room
            if picture.missing is not None:
                return picture
            if room <= 0 or picture.name in seen:
                return picture.model_copy(update={"data": None, "missing": AGAIN})
            left = 0.0 if stopped() else deadline - time.monotonic()
            loaded = self.one(picture, workspace, timeout=min(left, PICTURE_S))
            room -= loaded.missing is None
            if picture.data is None:
                seen.add(picture.name)
            return loaded

        newest_first: list[ChatMessage] = []
        for message in reversed(messages):
            if isinstance(message, UserMessage) and message.pictures:
                loaded = [ready(one) for one in reversed(message.pictures)]
                message = message.model_copy(update={"pictures": loaded[::-1]})
            newest_first.append(message)
        return newest_first[::-1]

    def one(self, picture: Picture, workspace: Workspace, *, timeout: float = PICTURE_S) -> Picture:
        """A picture as it may be sent, or with the reason why it may not."""
        try:
            with _opened(picture, workspace) as (key, file):
                made = self._get(key) or self._made(key, file, timeout)
        except (GptCodeError, OSError, binascii.Error, ValueError) as error:
            log.info("%s is not sent: %s", picture.name, error)
            made = _Made(missing=GONE if picture.data is None else BROKEN)
        return picture.model_copy(update=made.model_dump())

    def _made(self, key: object, file: IO[bytes], timeout: float) -> _Made:
        limits = {"bytes": self._limits.bytes, "edge": self._limits.edge}
        if timeout <= 0 or not self._readers.acquire(timeout=timeout):
            return _Made(missing=LATE)
        try:
            answer = ask(file, {"name": "", "picture": limits}, timeout, self._cage)
        finally:
            self._readers.release()
        if answer is None:
            return _Made(missing=LATE)
        try:
            made = _Made.model_validate_json(answer)
        except ValidationError:
            made = _Made(missing="reading it took too much time or memory")
        self._keep(key, made)
        return made

    def _get(self, key: object) -> _Made | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _keep(self, key: object, made: _Made) -> None:
        with self._lock:
            self._known[key] = made
            self._kept += _size(made)
            while self._kept > KEPT_BYTES:
                self._kept -= _size(self._known.popitem(last=False)[1])


@contextmanager
def _opened(picture: Picture, workspace: Workspace) -> Iterator[tuple[object, IO[bytes]]]:
    """A picture as an open file, and what it is known by."""
    if picture.data is None:
        file, entry = workspace.open(picture.name)
        with file:
            status = os.fstat(file.fileno())
            yield (
                (
                    str(workspace.root),
                    entry.path,
                    status.st_mtime_ns,
                    status.st_size,
                    status.st_ino,
                ),
                file,
            )
        return
    raw = base64.b64decode(picture.data)
    with contextlib.closing(tempfile.TemporaryFile()) as figure:
        figure.write(raw)
        figure.seek(0)
        yield hashlib.sha256(raw).digest(), figure


def _size(made: _Made) -> int:
    return 1000 + len(made.data or "")
