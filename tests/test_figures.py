"""Figures compared by what is seen, in a process of its own."""

import base64
import io
from typing import Any

import pytest

from gpt_code_ui.figures import Figures

Image: Any = pytest.importorskip("PIL.Image")
Draw: Any = pytest.importorskip("PIL.ImageDraw")
PngInfo: Any = pytest.importorskip("PIL.PngImagePlugin").PngInfo


def picture(end: int = 150, shade: int = 0, size: tuple[int, int] = (400, 300), **text: str) -> str:
    """A line on white, as base64."""
    image = Image.new("RGB", size, "white")
    Draw.Draw(image).line((10, 10, 390, end), fill=(shade, shade, shade), width=2)
    info = PngInfo()
    for key, value in text.items():
        info.add_text(key, value)
    raw = io.BytesIO()
    image.save(raw, "png", pnginfo=info)
    return base64.b64encode(raw.getvalue()).decode()


same_figure = Figures().same


def test_what_is_written_beside_the_pixels_does_not_count() -> None:
    assert same_figure(picture(Software="one"), picture(Software="two"), "image/png")


def test_a_shade_that_nobody_sees_does_not_count() -> None:
    assert same_figure(picture(), picture(shade=20), "image/png")


@pytest.mark.parametrize("other", [picture(end=153), picture(shade=90), picture(size=(401, 300))])
def test_another_figure_is_found(other: str) -> None:
    assert not same_figure(picture(), other, "image/png")


def test_what_is_no_image_is_another_figure() -> None:
    broken = base64.b64encode(b"\x89PNG no").decode()
    assert not same_figure(picture(), broken, "image/png")
    assert same_figure(broken, broken, "image/png")
