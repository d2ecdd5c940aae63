"""The colours that silks are described in, and how well two of them can be told apart.

The words are the feed's; the hex values are ours, chosen so that neighbours (navy, dark blue, royal blue) stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SilkColour:
    """A colour by its racing name and as `#rrggbb`."""

    name: str
    hex: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        return int(self.hex[1:3], 16), int(self.hex[3:5], 16), int(self.hex[5:7], 16)

    @property
    def is_light(self) -> bool:
        """Whether dark writing reads better on it than white writing."""
        return contrast(self.hex, "#000000") > contrast(self.hex, "#ffffff")


COLOURS = {
    name: SilkColour(name, value)
    for name, value in {
        "apple green": "#7fbf3f",
        "apricot": "#fbb98a",
        "aqua": "#2fd4d0",
        "beige": "#e3d3b0",
        "black": "#111111",
        "blue": "#1f5fd0",
        "bottle green": "#0b4a2c",
        "bronze": "#a8703a",
        "brown": "#6b3f1d",
        "burgundy": "#6e1230",
        "cambridge blue": "#a3d4c5",
        "canary": "#fff15c",
        "cerise": "#de2b6e",
        "charcoal": "#3a3f45",
        "chocolate": "#4a2912",
        "claret": "#7d1538",
        "copper": "#b5652f",
        "coral": "#ff7f66",
        "cream": "#fdf3cf",
        "crimson": "#c1122f",
        "cyan": "#19c3ea",
        "dark blue": "#12307f",
        "dark green": "#0f5a2e",
        "dark red": "#8b1119",
        "electric blue": "#0a7cff",
        "emerald green": "#0a9b5a",
        "fawn": "#cdaa7d",
        "fluorescent green": "#4dff3a",
        "fluorescent orange": "#ff7a1a",
        "fluorescent pink": "#ff3fae",
        "fluorescent yellow": "#eeff2e",
        "french grey": "#b9c4c9",
        "gold": "#e6b422",
        "green": "#16893a",
        "grey": "#8b9096",
        "gunmetal grey": "#4d555c",
        "hot pink": "#ff3d94",
        "ivory": "#fffbe8",
        "jade": "#12a884",
        "khaki": "#8f8650",
        "lavender": "#c7b3ea",
        "lemon": "#fff48a",
        "light blue": "#8cc8f0",
        "light green": "#9be09b",
        "lilac": "#c8a2d8",
        "lime green": "#9bdc2b",
        "magenta": "#d81b9a",
        "maroon": "#6b1024",
        "mauve": "#b283c9",
        "mint": "#a8ecc8",
        "mustard": "#d3a11a",
        "navy blue": "#14204a",
        "ochre": "#c77b2b",
        "old gold": "#b8922e",
        "olive": "#6d7331",
        "orange": "#f57c1f",
        "oxford blue": "#0f2a5c",
        "pale blue": "#b7dcf5",
        "pale green": "#bdeab8",
        "pale pink": "#fbd0dd",
        "pale yellow": "#fff6a6",
        "peacock blue": "#0a7f95",
        "peach": "#ffcba8",
        "pink": "#f78fb8",
        "plum": "#6f2a63",
        "powder blue": "#b8d8ea",
        "primrose": "#f7ee9c",
        "purple": "#6b2fa0",
        "red": "#d8201f",
        "rose": "#e8829b",
        "royal blue": "#1b3fae",
        "ruby": "#a80f3c",
        "rust": "#a84a1c",
        "salmon": "#fa9683",
        "scarlet": "#ea2a14",
        "silver": "#c6cbd1",
        "silver grey": "#adb3ba",
        "sky blue": "#74c3f2",
        "steel grey": "#6f7a84",
        "tan": "#cc9a63",
        "tangerine": "#fb8b24",
        "teal": "#0b7f80",
        "turquoise": "#25c1c1",
        "violet": "#7e42c8",
        "white": "#ffffff",
        "wine": "#5f1230",
        "yellow": "#ffdf1b",
    }.items()
}

OTHER_NAMES = {
    "aqua blue": "aqua",
    "dark navy blue": "navy blue",
    "dark navy": "navy blue",
    "deep navy blue": "navy blue",
    "deep navy": "navy blue",
    "deep red": "dark red",
    "emerald": "emerald green",
    "fluorescent lime": "lime green",
    "lime": "lime green",
    "navy": "navy blue",
    "royal": "royal blue",
    "ruby red": "ruby",
    "shocking pink": "hot pink",
    "steely grey": "steel grey",
}
"""Names of which another is in use; both mean the same colour."""

SPELLINGS = {
    "dk": "dark",
    "fluro": "fluorescent",
    "fluoro": "fluorescent",
    "gray": "grey",
    "lt": "light",
    "silve": "silver",
}
"""Words as they are sometimes written, and as they are meant."""

SHADES = {
    "baby": ("#ffffff", 0.55),
    "bright": ("#ffffff", 0.0),
    "dark": ("#000000", 0.45),
    "deep": ("#000000", 0.35),
    "light": ("#ffffff", 0.5),
    "medium": ("#ffffff", 0.0),
    "pale": ("#ffffff", 0.6),
    "soft": ("#ffffff", 0.45),
}
"""What a word before a colour does to it: how much of white or black is mixed in."""


def named_colour(name: str) -> SilkColour | None:
    """Return the colour of a name such as `royal blue` or `pale orange`, or None when it is none.

    A shade that the table does not have is mixed from its colour and keeps the name it was given.
    """
    known = COLOURS.get(OTHER_NAMES.get(name, name))
    if known is not None:
        return known
    shade, _, rest = name.partition(" ")
    base = COLOURS.get(OTHER_NAMES.get(rest, rest))
    if shade not in SHADES or base is None:
        return None
    towards, share = SHADES[shade]
    return SilkColour(name, mixed(base.hex, towards, share))


def mixed(first: str, second: str, share: float) -> str:
    """Return the colour that lies between two, `share` (0 to 1) of the second."""
    one, other = SilkColour("", first).rgb, SilkColour("", second).rgb
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(one, other, strict=True))


def luminance(value: str) -> float:
    """Return the relative luminance of `#rrggbb`, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (_linear(channel / 255) for channel in SilkColour("", value).rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 (the same) to 21 (black and white), as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def distance(first: str, second: str) -> float:
    """Return how far apart two colours look: 0 the same, 1 black and white (Euclid's distance in Oklab, 2020)."""
    one, other = _oklab(first), _oklab(second)
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)


def _linear(channel: float) -> float:
    """Return the intensity of an sRGB channel, both 0 to 1."""
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _oklab(value: str) -> tuple[float, float, float]:
    red, green, blue = (_linear(channel / 255) for channel in SilkColour("", value).rgb)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
