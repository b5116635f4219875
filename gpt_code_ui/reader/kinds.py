"""What a file is: by its first bytes, then by its text; its name only helps to choose among texts.

Invariant: nothing in a file is ever run or unpickled, and whatever is in it, there is an answer.
"""

import os
import zipfile
from typing import BinaryIO

from gpt_code_ui.reader import archives, documents, sheets, stores
from gpt_code_ui.reader.delimited import delimited
from gpt_code_ui.reader.pieces import Pieces, pieces, text
from gpt_code_ui.reader.shape import Look, broken
from gpt_code_ui.reader.structured import json_text

PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"))
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
KNOWN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"), (b"Rar!", "a RAR archive"),
    (b"\x89HDF", "an HDF5 file"), (b"\x93NUMPY", "a NumPy array"), (b"\x7fELF", "a program"),
    (b"MZ", "a program"), (b"ARROW1", "an Arrow (Feather) file"), (b"ORC", "an ORC file"),
    (b"$FL2", "an SPSS file"), (b"<stata", "a Stata file"), (b"ID3", "a sound file"),
)  # fmt: skip
PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
NAMED = {".parquet": "parquet", ".xlsx": "excel", ".xlsm": "excel", ".pdf": "pdf",
         ".sqlite": "sqlite", ".sqlite3": "sqlite", ".png": "image", ".jpg": "image",
         ".jpeg": "image", ".gif": "image", ".zip": "archive", ".docx": "word"}  # fmt: skip


def look(file: BinaryIO, name: str) -> Look:
    """A file's profile. Raises nothing that a file can cause."""
    size = os.fstat(file.fileno()).st_size
    try:
        found = _look(file, name)
    except MemoryError:
        found = broken(_named(name) or "unknown", "it needs too much memory to be looked into")
    except RecursionError:
        found = broken(_named(name) or "unknown", "it is nested too deeply to be looked into")
    except Exception as error:  # noqa: BLE001 - the last resort: a file must not end the reader
        found = broken(_named(name) or "unknown", f"it cannot be read ({type(error).__name__})")
    found["size"] = size
    return found


def _look(file: BinaryIO, name: str) -> Look:
    seen = pieces(file)
    if seen.size == 0:
        return {"kind": "empty"}
    found = _by_bytes(file, name, seen.head) or _by_text(seen, name)
    if found is None:
        return _binary(seen.head, name)
    if seen.sampled and found["kind"] in ("csv", "json", "jsonl", "text"):
        found["sampled"] = True
    return found


def _by_bytes(file: BinaryIO, name: str, head: bytes) -> Look | None:
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return _zip(file)
    if head.startswith(b"PAR1"):
        return stores.parquet(file)
    if head.startswith(b"SQLite format 3\0"):
        return stores.sqlite(file)
    if b"%PDF-" in head[:1024]:
        return documents.pdf(file)
    if head.startswith(b"\xd0\xcf\x11\xe0") and name.lower().endswith((".xls", ".xlt")):
        return sheets.old_excel(file)
    for magic, how in PACKED:
        if head.startswith(magic):
            return archives.packed(file, how)
    if head[257:262] == b"ustar":
        return archives.tarred(file, "tar")
    if head.startswith(PICTURES) and (b"\0" in head[:1024] or _named(name) == "image"):
        return documents.image(file)
    return None


def _zip(file: BinaryIO) -> Look:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        return broken("archive", f"it is not a valid ZIP file ({type(error).__name__})")
    names = {one.filename for one in members}
    file.seek(0)
    if "xl/workbook.xml" in names:
        return sheets.excel(file, members)
    if "word/document.xml" in names:
        return documents.word(file, sum(one.file_size for one in members))
    return archives.zipped(members)


def _by_text(seen: Pieces, name: str) -> Look | None:
    if seen.head.startswith(PICKLE):
        return None
    decoded = text(seen)
    if decoded is None:
        return None
    if (kind := _named(name)) is not None:
        return broken(kind, "it is not what its name says: it holds plain text")
    found = json_text(decoded, name) or delimited(decoded, name) or documents.plain(decoded)
    if decoded.zeros:
        found.setdefault("notes", []).append("parts of it hold nothing but zero bytes")
    return found


def _binary(head: bytes, name: str) -> Look:
    kind = _named(name)
    if kind is not None:
        return broken(kind, "it is not what its name says")
    for magic, words in KNOWN:
        if head.startswith(magic):
            return {"kind": "unknown", "notes": [f"it looks like {words}"]}
    if head.startswith(PICKLE):
        return {"kind": "unknown",
                "notes": ["it looks like a Python pickle, which is never opened"]}  # fmt: skip
    if not head.strip(b"\0"):
        return {"kind": "unknown", "notes": ["it holds nothing but zero bytes"]}
    return {"kind": "unknown", "notes": ["binary data of no known format"]}


def _named(name: str) -> str | None:
    dot = name.rfind(".")
    return NAMED.get(name[dot:].lower()) if dot >= 0 else None
