"""The files of a folder as one ZIP, made while it is sent: neither on disk nor whole in memory."""

import io
import os
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.workspace.folder import Budget, Found, open_file, walk

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

READ_BYTES = 256 * 1024
EARLIEST_YEAR, LATEST_YEAR = 1980, 2107  # what the format can hold


class _Pipe(io.RawIOBase):
    """A file that cannot seek; what was written to it is taken out again."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zip_chunks(folder: int, *, hard_links: bool) -> Iterator[bytes]:
    """The bytes of the ZIP; a file that grows meanwhile is cut at the size it had."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for found in walk(folder, Budget(), hard_links=hard_links):
            for _ in _add(archive, found, hard_links):
                if chunk := pipe.take():
                    yield chunk
    yield pipe.take()


def _add(archive: zipfile.ZipFile, found: Found, hard_links: bool) -> Iterator[None]:
    """Copy a file into the archive, pausing after each piece."""
    with suppress(GptCodeError):  # gone or replaced since it was met: left out
        descriptor, status = open_file(found.folder, found.name, hard_links=hard_links)
        with os.fdopen(descriptor, "rb") as source:
            left = status.st_size
            with archive.open(_entry(found.path, status), "w", force_zip64=True) as target:
                while left > 0 and (piece := source.read(min(READ_BYTES, left))):
                    target.write(piece)
                    left -= len(piece)
                    yield
    yield


def _entry(path: str, status: os.stat_result) -> zipfile.ZipInfo:
    moment = time.localtime(status.st_mtime)
    year = min(max(moment.tm_year, EARLIEST_YEAR), LATEST_YEAR)
    entry = zipfile.ZipInfo(path, (year, *moment[1:5], min(moment.tm_sec, 59)))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o100644 << 16
    return entry
