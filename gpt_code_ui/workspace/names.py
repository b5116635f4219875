"""Which names a file of a workspace may have.

A name from outside is made into one that every system can hold, or refused; Chinese or Arabic
names stay what they are. A name that is already in the folder is only ever read.
"""

import re
import unicodedata
from collections.abc import Container

from gpt_code_ui.errors import InvalidValue

MAX_NAME_BYTES = 200
MAX_DEPTH = 32
# Cc: control characters; the rest turn the direction of text, so that a name reads as another.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
SURROGATES = re.compile("[\ud800-\udfff]")  # how Python holds bytes that are no UTF-8
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])( *\..*)?", re.IGNORECASE)
ENDINGS_OF_TWO = (".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")


def parts_to_write(path: str) -> list[str]:
    """The folders and the name of a file to be written. Raises InvalidValue.

    Both kinds of slash part folders; the result is NFC, and safe on Windows too.
    """
    parts = re.split(r"[/\\]", unicodedata.normalize("NFC", path))
    if len(parts) > MAX_DEPTH:
        raise InvalidValue(f"A path may have {MAX_DEPTH} parts at most.")
    return [_written(part, path) for part in parts]


def _written(name: str, path: str) -> str:
    refuse_outside(name, path)
    if UNSAFE.search(name):
        raise InvalidValue(f"{path!r} has invisible or control characters in its name.")
    name = name.rstrip(". ")  # Windows drops them, and two names would become one
    if not name:
        raise InvalidValue(f"{path!r} has a part without a name.")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidValue(f"A name may have {MAX_NAME_BYTES} bytes at most.")
    if RESERVED.fullmatch(name):
        stem, dot, ending = name.partition(".")
        return f"{stem.rstrip()}_{dot}{ending}"
    return name


def parts_to_read(path: str) -> list[str]:
    """The folders and the name of a file that is there. Raises InvalidValue if it leads outside.

    Code may have given a file any name, so only what leads elsewhere or is hidden is refused.
    """
    parts = path.split("/")
    for part in parts:
        for piece in _pieces(part):
            refuse_outside(piece, path)
        if "\0" in part:
            raise InvalidValue("A path may not contain a NUL character.")
    return parts


def refuse_outside(part: str, path: str) -> None:
    """Raise InvalidValue for a part of ``path`` that is empty, leads up or is hidden."""
    if part in ("", ".", ".."):
        raise InvalidValue(
            f"{path!r} is not a path inside the workspace.",
            hint="Give a relative path such as data/sales.csv.",
        )
    if part.startswith("."):
        raise InvalidValue(f"{path!r} is hidden: names may not begin with a dot.")


def is_listed(name: str) -> bool:
    """Whether a name found in the folder is shown: not hidden, text that can be sent, and no path.

    On Windows a backslash parts folders: there a ZIP would unpack ``a\\..\\..\\b`` elsewhere.
    """
    return (
        name != "__pycache__"
        and not SURROGATES.search(name)
        and all(piece and not piece.startswith(".") for piece in _pieces(name))
    )


def _pieces(name: str) -> list[str]:
    """The names that a system sees which takes a backslash for a slash."""
    return name.split("\\")


def folded(name: str) -> str:
    """Equal for names that some systems hold to be the same."""
    return unicodedata.normalize("NFC", name).casefold()


def untaken(name: str, taken: Container[str]) -> str:
    """``name``, or ``name (2)``, ``name (3)`` ... before its ending; ``taken`` has folded names."""
    if folded(name) not in taken:
        return name
    stem, ending = split_ending(name)
    count = 2
    while folded(f"{stem} ({count}){ending}") in taken:
        count += 1
    return f"{stem} ({count}){ending}"


def split_ending(name: str) -> tuple[str, str]:
    """``report.tar.gz`` as ``report`` and ``.tar.gz``."""
    for ending in ENDINGS_OF_TWO:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)], name[-len(ending) :]
    stem, dot, ending = name.rpartition(".")
    return (stem, f".{ending}") if dot and stem else (name, "")
