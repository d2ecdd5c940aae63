"""Which colours a picture shows. The only module that imports Pillow, and only when there is a picture.

Pictures come from strangers: few formats, few pixels, checked before they are decoded (Pillow's loaders for rare
formats were the way in more than once).
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from raceday.domain.silks.check import ImageColour
from raceday.errors import OutboundRefused

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP")
CONTENT_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
MAX_PIXELS = 2_000_000
MAX_COLOURS = 8
SAMPLE_PIXELS = 96
"""The longest edge that colours are counted on; silk pictures are 64 or 128 pixels wide."""
OPAQUE = 200
"""A pixel counts from this opacity on, of 255: the soft edges of a figure mix its colours with the page."""


def image_colours(body: bytes) -> tuple[ImageColour, ...]:
    """Return the dominant colours of a PNG, JPEG or WebP picture, at most 8, the largest share first.

    Only the first frame counts, and only its opaque pixels. Raises `OutboundRefused` for anything else, a picture of
    more than two million pixels among it.
    """
    try:
        picture = _decoded(body)
        return _dominant(picture)
    except OutboundRefused:
        raise
    except Exception as error:  # noqa: BLE001 (a decoder fed with garbage may raise anything)
        raise OutboundRefused(f"the picture cannot be read: {type(error).__name__}") from None


def _decoded(body: bytes) -> Image:
    from PIL import Image  # noqa: PLC0415 (costs 30 ms, and most runs see no picture)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Image.open(io.BytesIO(body), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise OutboundRefused(f"the picture has {picture.width} x {picture.height} pixels")
            picture.verify()
        # What was verified cannot be used any more.
        with Image.open(io.BytesIO(body), formats=FORMATS) as picture:
            return picture.convert("RGBA")


def _dominant(picture: Image) -> tuple[ImageColour, ...]:
    from PIL import Image  # noqa: PLC0415 (as above)

    picture.thumbnail((SAMPLE_PIXELS, SAMPLE_PIXELS), Image.Resampling.NEAREST)
    pixels = picture.tobytes()
    opaque = [pixels[at : at + 3] for at in range(0, len(pixels), 4) if pixels[at + 3] >= OPAQUE]
    if not opaque:
        raise OutboundRefused("the picture is transparent all over")
    seen = Image.frombytes("RGB", (len(opaque), 1), b"".join(opaque))
    reduced = seen.quantize(MAX_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = reduced.getpalette() or []
    shares = [(count / len(opaque), index) for index, count in enumerate(reduced.histogram()) if count]
    return tuple(
        ImageColour("#{:02x}{:02x}{:02x}".format(*palette[3 * index : 3 * index + 3]), share)
        for share, index in sorted(shares, reverse=True)
    )
