"""A picture made fit to be sent: within a limit of bytes and of pixels, upright, without its notes.

Where Pillow is missing a picture goes as it is if its header says that it fits, and else not at
all. Where it is there, what cannot be decoded whole is never handed on: an endpoint would refuse
every request with it.
"""

import base64
import os
import struct
import warnings
from io import BytesIO
from typing import Any, BinaryIO

MOST_FILE_BYTES = 64 << 20
MOST_PIXELS = 64_000_000
SMALLEST_EDGE = 64
QUALITIES = (85, 70)
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
Answer = dict[str, Any]


def fitted(file: BinaryIO, most_bytes: int, most_edge: int) -> Answer:
    """``media_type``, ``width``, ``height`` and ``data`` in base64; or ``missing``: why not."""
    size = os.fstat(file.fileno()).st_size
    if size > MOST_FILE_BYTES:
        return _missing("the picture is too large")
    raw = file.read(size)
    try:
        from PIL import Image
    except ImportError:
        return _as_it_is(raw, most_bytes, most_edge)
    Image.MAX_IMAGE_PIXELS = None  # bounded below, with words of our own
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(raw)) as picture:
            if picture.format not in TYPES:
                return _missing("it is no PNG, JPEG, GIF or WebP picture")
            if picture.width * picture.height > MOST_PIXELS:
                return _missing("the picture is too large")
            return _fitted(picture, raw, most_bytes, most_edge)
    except MemoryError:
        return _missing("the picture is too large")
    except Exception:  # noqa: BLE001 - whatever a damaged picture makes of the library
        return _missing("it is not a valid picture")


def _fitted(picture: Any, raw: bytes, most_bytes: int, most_edge: int) -> Answer:
    is_plain = getattr(picture, "n_frames", 1) == 1 and not picture.getexif()
    if is_plain and len(raw) <= most_bytes and max(picture.size) <= most_edge:
        picture.load()
        return _answer(TYPES[picture.format], picture.size, raw)
    from PIL import ImageOps

    if picture.format == "JPEG":
        picture.draft("RGB", (most_edge, most_edge))
    keeps_lines = picture.format in ("PNG", "GIF")
    drawn = ImageOps.exif_transpose(picture)
    has_alpha = "A" in drawn.getbands() or "transparency" in drawn.info
    drawn = drawn.convert("RGBA" if has_alpha else "RGB")
    return _smaller(drawn, most_bytes, most_edge, keeps_lines)


def _smaller(drawn: Any, most_bytes: int, most_edge: int, keeps_lines: bool) -> Answer:
    """The largest of what fits: a drawing as PNG while it can, then JPEG, then fewer pixels."""
    from PIL import Image

    edge = min(most_edge, max(drawn.size))
    while True:
        scaled = drawn.copy()
        scaled.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        if keeps_lines:
            encoded = _encoded(scaled, "PNG", optimize=True)
            if len(encoded) <= most_bytes:
                return _answer("image/png", scaled.size, encoded)
        for quality in QUALITIES:
            encoded = _encoded(_on_white(scaled), "JPEG", quality=quality)
            if len(encoded) <= most_bytes:
                return _answer("image/jpeg", scaled.size, encoded)
        edge = edge * 3 // 4
        if edge < SMALLEST_EDGE:
            return _missing("the picture is too large")


def _on_white(picture: Any) -> Any:
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def _encoded(picture: Any, format: str, **options: Any) -> bytes:
    target = BytesIO()
    picture.save(target, format, **options)
    return target.getvalue()


def _as_it_is(raw: bytes, most_bytes: int, most_edge: int) -> Answer:
    told = header(raw)
    if told is None:
        return _missing("it is no PNG, JPEG, GIF or WebP picture")
    media_type, size = told
    if len(raw) > most_bytes or max(size) > most_edge:
        return _missing("the picture is too large, and Pillow is not there to scale it down")
    return _answer(media_type, size, raw)


def header(raw: bytes) -> tuple[str, tuple[int, int]] | None:
    """Media type and pixels as the first bytes tell them; None if it is none of the four kinds."""
    try:
        if raw.startswith(b"\x89PNG\r\n\x1a\n"):
            return "image/png", struct.unpack(">II", raw[16:24])
        if raw.startswith((b"GIF87a", b"GIF89a")):
            return "image/gif", struct.unpack("<HH", raw[6:10])
        if raw.startswith(b"\xff\xd8"):
            return "image/jpeg", _jpeg_size(raw)
        if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
            return "image/webp", _webp_size(raw)
    except (struct.error, IndexError, ValueError):
        pass
    return None


def _jpeg_size(raw: bytes) -> tuple[int, int]:
    at = 2
    while raw[at] == 0xFF:
        marker, length = raw[at + 1], struct.unpack(">H", raw[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise ValueError("no frame")


def _webp_size(raw: bytes) -> tuple[int, int]:
    kind = raw[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(raw[24:27], "little"), 1 + int.from_bytes(raw[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", raw[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no frame")


def _answer(media_type: str, size: tuple[int, int], raw: bytes) -> Answer:
    width, height = size
    data = base64.b64encode(raw).decode()
    return {"media_type": media_type, "width": width, "height": height, "data": data}


def _missing(reason: str) -> Answer:
    return {"missing": reason}
