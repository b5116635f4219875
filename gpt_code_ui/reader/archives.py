"""Archives: the names in them. Nothing is unpacked but what listing a packed tar reads, bounded."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from gpt_code_ui.reader.shape import MOST_PARTS, Look, broken, short

MOST_MEMBERS = 10_000
UNPACKED_BYTES = 64 << 20
PACKED: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open,
}  # fmt: skip
FAULTS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError)


class TooMuch(Exception):
    """More was unpacked than listing is worth."""


class Bounded(io.RawIOBase):
    """A stream that gives ``left`` bytes and then raises TooMuch."""

    def __init__(self, source: BinaryIO, left: int) -> None:
        self._source = source
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._left <= 0:
            raise TooMuch
        data = self._source.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)


def zipped(members: list[zipfile.ZipInfo]) -> Look:
    """A ZIP by its list."""
    total = sum(one.file_size for one in members)
    facts = {"format": "zip", "members": f"{len(members):,}", "unpacked": f"{total:,} bytes"}
    return {"kind": "archive", "facts": facts,
            "parts": [{"name": short(one.filename)} for one in members[:MOST_PARTS]]}  # fmt: skip


def packed(file: BinaryIO, how: str) -> Look:
    """A packed file: what is in it if that is a tar."""
    try:
        with PACKED[how](file) as stream:
            begin = stream.read(512)
            stream.seek(0)
            if begin[257:262] == b"ustar":
                return tarred(stream, f"tar, {how}")
    except TooMuch:
        return {"kind": "archive", "facts": {"format": how}, "notes": ["too large to be listed"]}
    except FAULTS as error:
        return broken("archive", f"it cannot be unpacked ({type(error).__name__})")
    return {"kind": "archive", "facts": {"format": how}, "notes": ["one packed file"]}


def tarred(stream: BinaryIO, form: str) -> Look:
    """A tar by its headers."""
    names: list[str] = []
    count = 0
    cut = False
    bounded = io.BufferedReader(Bounded(stream, UNPACKED_BYTES))
    try:
        with tarfile.open(fileobj=bounded, mode="r|") as archive:
            for member in archive:
                count += 1
                if len(names) < MOST_PARTS:
                    names.append(short(member.name))
                if count >= MOST_MEMBERS:
                    cut = True
                    break
    except TooMuch:
        cut = True
    except FAULTS as error:
        if not names:
            return broken("archive", f"it cannot be listed ({type(error).__name__})")
        cut = True
    facts = {"format": form, "members": f"{'at least ' if cut else ''}{count:,}"}
    return {"kind": "archive", "facts": facts, "parts": [{"name": name} for name in names]}
