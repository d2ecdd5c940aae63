"""Pictures from strangers: what is looked at, what is refused, and that nothing else ever comes out."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from raceday.domain.silks.colours import distance
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundAnswer
from raceday.outbound.images import MAX_COLOURS, image_colours
from raceday.outbound.pictures import PictureSource

CERISE, GOLD = (222, 43, 110), (230, 180, 34)


def striped(size: tuple[int, int] = (128, 128), ground: tuple[int, ...] = (0, 0, 0, 0)) -> Image.Image:
    """A picture of a cerise square with a gold stripe on a ground that is transparent unless said otherwise."""
    picture = Image.new("RGBA", size, ground)
    picture.paste((*CERISE, 255), (size[0] // 8, size[1] // 8, size[0] * 7 // 8, size[1] * 7 // 8))
    picture.paste((*GOLD, 255), (size[0] // 8, size[1] // 2, size[0] * 7 // 8, size[1] * 5 // 8))
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    (picture.convert("RGB") if kind == "JPEG" else picture).save(file, kind, **settings)
    return file.getvalue()


def hex_of(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_the_dominant_colours_of_a_picture(kind: str) -> None:
    seen = image_colours(encoded(striped(), kind))
    assert 2 <= len(seen) <= MAX_COLOURS
    assert sum(colour.share for colour in seen) == pytest.approx(1)
    assert [colour.share for colour in seen] == sorted((colour.share for colour in seen), reverse=True)
    assert distance(seen[0].hex, hex_of(CERISE)) < 0.05
    assert min(distance(colour.hex, hex_of(GOLD)) for colour in seen if colour.share > 0.05) < 0.05


def test_transparent_pixels_do_not_count() -> None:
    seen = image_colours(encoded(striped()))
    assert {distance(colour.hex, "#000000") > 0.3 for colour in seen} == {True}
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    with pytest.raises(OutboundRefused, match="transparent"):
        image_colours(encoded(clear))


def test_only_the_first_frame_counts() -> None:
    first, second = Image.new("RGB", (32, 32), CERISE), Image.new("RGB", (32, 32), (0, 0, 255))
    for kind in ("PNG", "WEBP"):
        [seen] = image_colours(encoded(first, kind, save_all=True, append_images=[second], lossless=True))
        assert distance(seen.hex, hex_of(CERISE)) < 0.02


def test_gray_and_palette_pictures_are_read_too() -> None:
    for mode in ("L", "P", "1", "LA"):
        assert image_colours(encoded(striped(ground=(0, 0, 0, 255)).convert(mode)))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO", "PDF", "TGA"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(OutboundRefused, match="cannot be read"):
        image_colours(encoded(striped().convert("RGB"), kind))


@pytest.mark.parametrize(
    "body", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00"]
)
def test_what_is_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(OutboundRefused):
        image_colours(body)


def claimed(width: int, height: int) -> bytes:
    """A small PNG file that claims to be of this size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"\x00" * 4096)
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, pixels, b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("width", "height", "why"),
    [(2001, 1000, "2001 x 1000 pixels"), (20_000, 20_000, "Bomb"), (2_000_000_000, 2_000_000_000, "cannot be read")],
)
def test_a_bomb_is_refused_before_it_is_unpacked(width: int, height: int, why: str) -> None:
    with pytest.raises(OutboundRefused, match=why):
        image_colours(claimed(width, height))


def test_two_million_pixels_are_not_too_many() -> None:
    assert image_colours(encoded(Image.new("RGB", (2000, 1000), CERISE)))


WHOLE = {kind: encoded(striped((48, 48)), kind) for kind in ("PNG", "WEBP", "JPEG")}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_picture_that_was_cut_or_scratched_is_refused_or_read(kind: str, data: st.DataObject) -> None:
    body = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    try:
        seen = image_colours(cut)
    except OutboundRefused:
        return
    assert 1 <= len(seen) <= MAX_COLOURS


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x10\x00\x00\x00WEBPVP8 "]),
)
def test_garbage_is_refused(garbage: bytes, start: bytes) -> None:
    with pytest.raises(OutboundRefused):
        image_colours(start + garbage)


class Answers:
    """Gives one answer to everything, and counts."""

    allow_private = False

    def __init__(self, answer: OutboundAnswer) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def get(self, url: str, headers: Any = None) -> OutboundAnswer:
        self.asked.append(url)
        return self.answer


def looked_at(answer: OutboundAnswer, url: str = "https://silks.example.org/a.png") -> Any:
    http = Answers(answer)
    try:
        return asyncio.run(PictureSource(http, ["silks.example.org", "*.cdn.example.org"]).colours(url)), http.asked
    except (OutboundRefused, OutboundUnavailable) as error:
        return error, http.asked


def test_a_picture_from_a_host_on_the_list_is_looked_at() -> None:
    seen, asked = looked_at(OutboundAnswer(200, "image/png", WHOLE["PNG"]), "https://a.cdn.example.org/a.png")
    assert distance(seen[0].hex, hex_of(CERISE)) < 0.05
    assert asked == ["https://a.cdn.example.org/a.png"]


@pytest.mark.parametrize(
    "url", ["https://other.example.org/a.png", "https://cdn.example.org/a.png", "http://silks.example.org/"]
)
def test_a_host_that_is_not_on_the_list_is_never_asked(url: str) -> None:
    error, asked = looked_at(OutboundAnswer(200, "image/png", WHOLE["PNG"]), url)
    assert isinstance(error, OutboundRefused)
    assert asked == []


@pytest.mark.parametrize(
    ("answer", "kind", "word"),
    [
        (OutboundAnswer(404, "image/png", b""), OutboundRefused, "status 404"),
        (OutboundAnswer(302, "", b""), OutboundRefused, "status 302"),
        (OutboundAnswer(503, "", b""), OutboundUnavailable, "status 503"),
        (OutboundAnswer(200, "text/html", WHOLE["PNG"]), OutboundRefused, "text/html"),
        (OutboundAnswer(200, "", WHOLE["PNG"]), OutboundRefused, "no content type"),
        (OutboundAnswer(200, "image/svg+xml", b"<svg/>"), OutboundRefused, "image/svg"),
        (OutboundAnswer(200, "image/png", b"no picture"), OutboundRefused, "cannot be read"),
    ],
)
def test_other_answers_are_no_pictures(answer: OutboundAnswer, kind: type[Exception], word: str) -> None:
    error, _ = looked_at(answer)
    assert type(error) is kind
    assert word in str(error)
