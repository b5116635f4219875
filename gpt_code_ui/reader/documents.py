"""Pictures, PDF, Word, plain text: size and the beginning of their text."""

import os
import warnings
from itertools import islice
from typing import Any, BinaryIO

from gpt_code_ui.reader.pieces import Text
from gpt_code_ui.reader.shape import Look, block, broken

PDF_BYTES = 64 << 20
PDF_PAGES = 3
MOST_PIXELS = 1 << 31


def image(file: BinaryIO) -> Look:
    """Size, mode and format from a picture's header; its pixels are not decoded."""
    try:
        from PIL import Image
    except ImportError:
        return {"kind": "image", "notes": ["Pillow is not installed beside GPT-Code UI"]}
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as picture:
            facts = {
                "format": str(picture.format),
                "pixels": f"{picture.width} x {picture.height}",
                "mode": picture.mode,
            }
            frames = int(getattr(picture, "n_frames", 1))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        return broken("image", f"it is not a valid picture ({type(error).__name__})")
    if frames > 1:
        facts["frames"] = str(frames)
    return {"kind": "image", "facts": facts}


def pdf(file: BinaryIO) -> Look:
    """Pages and the beginning of the text."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        return {"kind": "pdf", "notes": ["pypdf is not installed beside GPT-Code UI: only code "
                                         "can look into this file"]}  # fmt: skip
    if os.fstat(file.fileno()).st_size > PDF_BYTES:
        return {"kind": "pdf", "notes": ["large: it was not opened"]}
    import logging

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        document = PdfReader(file)
        if document.is_encrypted and not document.decrypt(""):
            return {"kind": "pdf", "notes": ["it is locked with a password"]}
        pages = len(document.pages)
        text = "\n".join(page.extract_text() or "" for page in islice(document.pages, PDF_PAGES))
    except (PyPdfError, *_FAULTS) as error:
        return broken("pdf", f"it is not a valid PDF ({type(error).__name__})")
    found: Look = {"kind": "pdf", "facts": {"pages": str(pages)}, "text": block(text)}
    if not text.strip():
        found["notes"] = [f"no text on its first {min(pages, PDF_PAGES)} page(s): perhaps scanned"]
    return found


def word(file: BinaryIO, unpacked: int) -> Look:
    """Paragraphs, tables and the beginning of the text."""
    try:
        import docx
    except ImportError:
        return {"kind": "word", "notes": ["python-docx is not installed beside GPT-Code UI: only "
                                          "code can look into this file"]}  # fmt: skip
    if unpacked > 200 << 20:
        return broken("word", "unpacked it would be too large to be looked into")
    try:
        document: Any = docx.Document(file)
        paragraphs = [one.text for one in document.paragraphs]
        tables = len(document.tables)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a damaged document makes of the library
        return broken("word", f"it is not a valid Word document ({type(error).__name__})")
    facts = {"paragraphs": str(len(paragraphs)), "tables": str(tables)}
    return {"kind": "word", "facts": facts, "text": block("\n".join(paragraphs))}


def plain(text: Text) -> Look:
    """Lines and the beginning of a text."""
    lines = sum(piece.count("\n") for piece in text.pieces)
    found: Look = {"kind": "text", "facts": {"encoding": text.encoding}}
    if text.sampled:
        seen = sum(len(piece.encode(text.encoding, "replace")) for piece in text.pieces)
        lines = round(lines * text.size / max(seen, 1))
    found["facts"]["lines"] = f"{'about ' if text.sampled else ''}{max(lines, 1):,}"
    found["text"] = block(text.pieces[0])
    return found


_FAULTS = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError,
    ZeroDivisionError, AssertionError, NotImplementedError, OverflowError,
)  # fmt: skip
