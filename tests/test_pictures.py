"""Pictures as they are sent: within limits, decodable, made by the reader process alone."""

import base64
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gpt_code_ui.pictures import GONE, PictureLimits, Pictures
from gpt_code_ui.protocol import ChatMessage, Picture, ToolMessage, UserMessage
from gpt_code_ui.reader.pictures import fitted, header
from gpt_code_ui.seeing import AGAIN, is_shown
from gpt_code_ui.workspace import Workspace

LIMITS = PictureLimits(bytes=20_000, edge=256, count=2)


def encoded(size: tuple[int, int], format: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    target = BytesIO()
    Image.new(mode, size, 100).save(target, format, **options)
    return target.getvalue()


def noise(size: tuple[int, int], format: str = "PNG") -> bytes:
    """What does not pack."""
    target = BytesIO()
    Image.frombytes("RGB", size, os.urandom(size[0] * size[1] * 3)).save(target, format)
    return target.getvalue()


def ready(folder: Path, raw: bytes, name: str = "a.png", limits: PictureLimits = LIMITS) -> Picture:
    (folder / name).write_bytes(raw)
    return Pictures(limits).one(Picture(name=name), Workspace(folder))


def opened(picture: Picture) -> Image.Image:
    """The picture as a model gets it, checked against what is told of it."""
    assert picture.data is not None and picture.missing is None
    raw = base64.b64decode(picture.data)
    assert len(raw) <= LIMITS.bytes
    image = Image.open(BytesIO(raw))
    image.load()
    assert image.size == (picture.width, picture.height)
    assert picture.media_type == f"image/{(image.format or '').lower()}"
    assert max(image.size) <= LIMITS.edge
    return image


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_fits_goes_byte_for_byte(tmp_path: Path, format: str) -> None:
    raw = encoded((40, 30), format)
    picture = ready(tmp_path, raw)
    assert opened(picture).size == (40, 30)
    assert base64.b64decode(picture.data or "") == raw
    assert header(raw) == (picture.media_type, (40, 30))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_is_too_large_is_scaled_down(tmp_path: Path, format: str) -> None:
    image = opened(ready(tmp_path, encoded((2000, 1000), format)))
    assert image.size == (256, 128)


def test_what_has_too_many_bytes_becomes_jpeg_or_smaller(tmp_path: Path) -> None:
    image = opened(ready(tmp_path, noise((250, 250))))
    assert image.format == "JPEG" and min(image.size) >= 64
    tiny = PictureLimits(bytes=10, edge=64)
    assert ready(tmp_path, noise((200, 200)), limits=tiny).missing == "the picture is too large"


def test_a_photograph_stands_upright_and_its_notes_stay_here(tmp_path: Path) -> None:
    notes = Image.Exif()
    notes[0x0112], notes[0x010E] = 6, "taken at home"
    picture = ready(tmp_path, encoded((40, 20), "JPEG", exif=notes), "p.jpg")
    assert opened(picture).size == (20, 40)
    assert b"taken at home" not in base64.b64decode(picture.data or "")


def test_of_a_moving_picture_the_first_one_is_sent(tmp_path: Path) -> None:
    more = [Image.new("RGB", (20, 20), "red")]
    raw = encoded((20, 20), "GIF", save_all=True, append_images=more)
    image = opened(ready(tmp_path, raw, "a.gif"))
    assert (image.format, getattr(image, "n_frames", 1)) == ("PNG", 1)


@pytest.mark.parametrize("mode", ["P", "L", "LA", "RGBA", "I;16", "1", "CMYK"])
def test_every_mode_can_be_scaled(tmp_path: Path, mode: str) -> None:
    format = "JPEG" if mode == "CMYK" else "PNG"
    raw = encoded((600, 600), format, mode if mode != "CMYK" else "CMYK") if mode != "LA" else (
        encoded((600, 600), format, "L")
    )  # fmt: skip
    assert opened(ready(tmp_path, raw)).size == (256, 256)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"not a picture", "it is not a valid picture"),
        (encoded((50, 50))[:60], "it is not a valid picture"),
        (noise((60, 60))[:3000], "it is not a valid picture"),
        (encoded((30, 30), "BMP"), "it is no PNG, JPEG, GIF or WebP picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it is not a valid picture"),
        (b"", "it is not a valid picture"),
    ],
)
def test_what_no_endpoint_would_take_is_not_sent(tmp_path: Path, raw: bytes, words: str) -> None:
    picture = ready(tmp_path, raw)
    assert (picture.missing, picture.data) == (words, None)


def test_a_bomb_of_pixels_is_not_opened(tmp_path: Path) -> None:
    raw = encoded((12_000, 12_000), "PNG", "1")
    assert len(raw) < 100_000
    assert ready(tmp_path, raw).missing == "the picture is too large"


def test_a_link_out_of_the_folder_and_a_file_that_is_gone(tmp_path: Path) -> None:
    outside, folder = tmp_path / "secret.png", tmp_path / "w"
    folder.mkdir()
    outside.write_bytes(encoded((10, 10)))
    (folder / "link.png").symlink_to(outside)
    pictures = Pictures(LIMITS)
    for name in ("link.png", "gone.png", "../secret.png"):
        assert pictures.one(Picture(name=name), Workspace(folder)).missing == GONE


def test_only_the_newest_are_sent_and_of_a_file_the_newest_mention(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded((10, 10)))
    figure = base64.b64encode(encoded((20, 20))).decode()
    drawn = Picture(name="cell:1", media_type="image/png", data=figure)
    messages: list[ChatMessage] = [
        UserMessage(text="1", pictures=[Picture(name="a.png"), Picture(name="b.png")]),
        ToolMessage(tool_call_id="x", text="ok"),
        UserMessage(text="", pictures=[drawn], figures=True),
        UserMessage(text="2", pictures=[Picture(name="gone.png"), Picture(name="b.png")]),
    ]
    loaded = Pictures(LIMITS).load(messages, Workspace(tmp_path))
    assert [type(one) for one in loaded] == [type(one) for one in messages]
    states = [
        [(one.name, one.missing, is_shown(one)) for one in message.pictures]
        for message in loaded
        if isinstance(message, UserMessage)
    ]
    assert states == [
        [("a.png", AGAIN, False), ("b.png", AGAIN, False)],
        [("cell:1", None, True)],
        [("gone.png", GONE, False), ("b.png", None, True)],
    ]


def test_a_picture_is_made_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, workspace = Pictures(LIMITS), Workspace(tmp_path)
    (tmp_path / "a.png").write_bytes(encoded((10, 10)))
    assert pictures.one(Picture(name="a.png"), workspace).width == 10
    monkeypatch.setattr("gpt_code_ui.profiles.MODULE", "no_such_module")
    assert pictures.one(Picture(name="a.png"), workspace).width == 10
    (tmp_path / "a.png").write_bytes(encoded((20, 20)))
    assert pictures.one(Picture(name="a.png"), workspace).missing is not None


def test_after_a_stop_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded((10, 10)))
    asked: list[ChatMessage] = [UserMessage(text="", pictures=[Picture(name="a.png")])]
    [message] = Pictures(LIMITS).load(asked, Workspace(tmp_path), lambda: True)
    assert isinstance(message, UserMessage)
    assert message.pictures[0].missing == "it could not be read in time"


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (encoded((30, 20)), "image/png"),
        (encoded((30, 20), "JPEG", progressive=True), "image/jpeg"),
        (encoded((30, 20), "GIF"), "image/gif"),
        (encoded((30, 20), "WEBP"), "image/webp"),
        (encoded((30, 20), "WEBP", lossless=True), "image/webp"),
        (encoded((30, 20), "WEBP", mode="RGBA"), "image/webp"),
    ],
)
def test_without_pillow_the_header_tells_what_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, media_type: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    path = tmp_path / "a"
    path.write_bytes(raw)
    with path.open("rb") as file:
        answer = fitted(file, 20_000, 256)
    assert answer == {
        "media_type": media_type, "width": 30, "height": 20,
        "data": base64.b64encode(raw).decode(),
    }  # fmt: skip
    with path.open("rb") as file:
        assert "Pillow is not there" in fitted(file, 20_000, 25)["missing"]


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBPVP8 "]
)
def test_a_header_that_breaks_off_tells_nothing(raw: bytes) -> None:
    assert header(raw) is None
