"""How a file leaves: as a stream of bytes, a range where one is asked for, as an attachment.

A type is told for images only; everything else is bytes, whatever its name says.
"""

import errno
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from gpt_code_ui.protocol import FileEntry
from gpt_code_ui.web.headers import FILE_POLICY

CHUNK = 256 * 1024
IMAGES = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp"}


def file_response(file: BinaryIO, entry: FileEntry) -> Response:
    """The file, or the range that the request asks for; the response closes it."""
    etag = f'"{entry.size:x}-{int(entry.modified * 1e6):x}"'
    part = _range(entry.size, etag)
    start, stop = part or (0, entry.size)
    file.seek(start)
    kind = IMAGES.get(entry.path.rpartition(".")[2].lower())
    response = Response(
        FileBody(file, stop - start),
        200 if part is None else 206,
        mimetype=f"image/{kind}" if kind else "application/octet-stream",
    )
    response.headers["Content-Length"] = str(stop - start)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    if part is not None:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{entry.size}"
    return as_attachment(response, entry.path.rpartition("/")[2])


def _range(size: int, etag: str) -> tuple[int, int] | None:
    """First byte and the one after the last, or None for the whole file.

    Several ranges at once, another unit, and a file that changed since get the whole file.
    Raises RequestedRangeNotSatisfiable.
    """
    wanted = request.range
    condition = request.headers.get("If-Range")
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    if condition is not None and condition != etag:
        return None
    found = wanted.range_for_length(size)
    if found is None:
        raise RequestedRangeNotSatisfiable(length=size)
    return found


class FileBody:
    """The bytes of an open file from where it stands; closes it in the end."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._left == 0:
            raise StopIteration
        chunk = self._file.read(min(CHUNK, self._left))
        if not chunk:
            # The length was promised: cut the connection, so that the client does not wait.
            raise ConnectionAbortedError(errno.ECONNABORTED, "the file became shorter")
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Called by the server when the response is over."""
        self._file.close()


def as_attachment(response: Response, name: str) -> Response:
    """Mark a response as a file to keep, which has no rights should a browser show it."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response
