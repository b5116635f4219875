"""A file by its pieces: all of a small one; of a large one the head, the middle and the tail.

Invariant: never more than ``WHOLE_BYTES`` of a file is in memory here.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

WHOLE_BYTES = 4 << 20
HEAD_BYTES = 1 << 20
MIDDLE_BYTES = 512 << 10
TAIL_BYTES = 256 << 10
BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b")) + b"\x7f"
HANZI_PAIR = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa9][\xa1-\xfe]")
HIGH = re.compile(rb"[\x80-\xff]")
NOT_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True)
class Pieces:
    """The first piece begins the file; with more than one, the last ends it."""

    pieces: Sequence[bytes]
    size: int

    @property
    def head(self) -> bytes:
        return self.pieces[0]

    @property
    def sampled(self) -> bool:
        return len(self.pieces) > 1


@dataclass(frozen=True)
class Text:
    """Pieces as text of whole lines; ``zeros``: zero bytes were passed over."""

    pieces: Sequence[str]
    encoding: str
    zeros: bool
    sampled: bool
    size: int


def pieces(file: BinaryIO) -> Pieces:
    """What is looked at of a file."""
    descriptor = file.fileno()
    size = os.fstat(descriptor).st_size
    if size <= WHOLE_BYTES:
        return Pieces([os.pread(descriptor, WHOLE_BYTES, 0)], size)
    middle = (size // 2) & ~3
    places = ((HEAD_BYTES, 0), (MIDDLE_BYTES, middle), (TAIL_BYTES, (size - TAIL_BYTES) & ~3))
    return Pieces([os.pread(descriptor, count, at) for count, at in places], size)


def encoding_of(data: bytes) -> str | None:
    """The encoding that the bytes are most likely in; None for what is no text."""
    for bom, name in BOMS:
        if data.startswith(bom):
            return name
    if wide := _utf16(data):
        return wide
    if len(data.translate(None, CONTROLS)) < len(data) * 0.995:
        return None
    if _decodes(data, "utf-8"):
        return "utf-8"
    high = len(HIGH.findall(data))
    paired = 2 * len(HANZI_PAIR.findall(data))
    if paired >= 0.8 * high and _decodes(data, "gb18030"):
        return "gb18030"
    return "latin-1" if NOT_IN_CP1252.search(data) else "cp1252"


def text(found: Pieces) -> Text | None:
    """The pieces decoded, in whole lines; None if they are no text."""
    head = found.head
    encoding = encoding_of(head)
    zeros = False
    if encoding is None:
        # A file may be text up to where nothing was ever written.
        head = head.rstrip(b"\0")
        zeros = len(head) < len(found.head)
        encoding = encoding_of(head) if zeros and head else None
        if encoding is None:
            return None
    elif encoding == "utf-8" and head.isascii():
        rest = b"".join(piece[piece.find(b"\n") : piece.rfind(b"\n")] for piece in found.pieces[1:])
        encoding = encoding_of(rest.replace(b"\0", b"")) or encoding
    later = "utf-16-le" if encoding == "utf-16" and head[:2] == b"\xff\xfe" else encoding
    later = "utf-16-be" if encoding == "utf-16" and head[:2] == b"\xfe\xff" else later
    texts = [_lines(head, encoding, begins=True, ends=not found.sampled)]
    for at, piece in enumerate(found.pieces[1:], start=1):
        stripped = piece if later.startswith("utf-16") else piece.replace(b"\0", b"")
        zeros = zeros or len(stripped) < len(piece)
        texts.append(_lines(stripped, later, begins=False, ends=at == len(found.pieces) - 1))
    return Text(texts, encoding.removesuffix("-sig"), zeros, found.sampled, found.size)


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark shows by zeros in every other byte."""
    half = len(data) // 2
    if half < 4:
        return None
    even, odd = data[0::2].count(0) / half, data[1::2].count(0) / half
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    if even > 0.4 and odd < 0.05:
        return "utf-16-be"
    return None


def _decodes(data: bytes, encoding: str) -> bool:
    """A character that the end of the data cuts does not count."""
    for cut in range(4):
        try:
            data[: len(data) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(data) - cut - 4:
                return False
        else:
            return True
    return False


def _lines(data: bytes, encoding: str, *, begins: bool, ends: bool) -> str:
    decoded = data.decode(encoding, "replace")
    if not ends:
        decoded = decoded[: decoded.rfind("\n") + 1] or decoded
    if not begins:
        decoded = decoded[decoded.find("\n") + 1 :]
    return decoded
