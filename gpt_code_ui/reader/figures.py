"""Whether two images look the same to the eye.

Two pictures are the same if they have one size and hardly a pixel differs to the eye.
"""

import io
from typing import IO

# A channel that differs by more than this is seen; this share of such pixels is anti-aliasing.
SEEN = 32
SHARE = 0.0002


def same_pixels(one: bytes, other: bytes) -> bool:
    """Compare two images. Without a library for images, only their bytes."""
    if one == other:
        return True
    try:
        from PIL import Image, ImageChops
    except ImportError:
        return False
    with Image.open(io.BytesIO(one)) as a, Image.open(io.BytesIO(other)) as b:
        if a.size != b.size:
            return False
        difference = ImageChops.difference(a.convert("RGBA"), b.convert("RGBA"))
    strongest = difference.getchannel(0)
    for channel in (1, 2, 3):
        strongest = ImageChops.lighter(strongest, difference.getchannel(channel))
    seen = sum(strongest.histogram()[SEEN + 1 :])
    return bool(seen <= SHARE * strongest.size[0] * strongest.size[1])


def compared(file: IO[bytes], first: int) -> dict[str, bool]:
    """Compare the first ``first`` bytes of a file, an image, with the image behind them."""
    return {"same": same_pixels(file.read(first), file.read())}
