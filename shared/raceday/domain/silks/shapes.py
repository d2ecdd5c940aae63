"""What can be on a silk: its shapes, and the ten patterns that the client knows."""

from __future__ import annotations

from enum import StrEnum


class SilkPattern(StrEnum):
    """The client's patterns (its type of July 2025)."""

    SOLID = "solid"
    STRIPES = "stripes"
    HOOPS = "hoops"
    DIAMOND = "diamond"
    CHECKED = "checked"
    HALVED = "halved"
    QUARTERED = "quartered"
    CROSS = "cross"
    SPOTS = "spots"
    SEAMS = "seams"


class Shape(StrEnum):
    """What cloth looks like, and what is put on it. A finer vocabulary than the client's; each has a drawing."""

    PLAIN = "plain"
    STRIPES = "stripes"
    STRIPE = "stripe"
    DIAGONAL_STRIPES = "diagonal stripes"
    HOOPS = "hoops"
    BAND = "band"
    ZIGZAG = "zigzag"
    THIRDS = "thirds"
    VERTICAL_THIRDS = "vertical thirds"
    CHECKS = "checks"
    TARTAN = "tartan"
    DIAMONDS = "diamonds"
    DIAMOND = "diamond"
    TRIANGLES = "triangles"
    HALVES = "halves"
    HORIZONTAL_HALVES = "horizontal halves"
    DIAGONAL_HALVES = "diagonal halves"
    QUARTERS = "quarters"
    DIABOLO = "diabolo"
    SASH = "sash"
    CROSSED_SASHES = "crossed sashes"
    CROSS = "cross"
    MALTESE_CROSS = "maltese cross"
    SPOTS = "spots"
    SPOT = "spot"
    STARS = "stars"
    STAR = "star"
    CHEVRONS = "chevrons"
    VEE = "vee"
    LIGHTNING = "lightning bolt"
    HORSESHOE = "horseshoe"
    FIGURES = "figures"
    FIGURE = "figure"
    EMBLEM = "emblem"
    BRACES = "braces"
    YOKE = "yoke"
    EPAULETTES = "epaulettes"
    BRAID = "braid"
    SEAMS = "seams"
    PANEL = "panel"
    COLLAR = "collar"
    WAISTBAND = "waistband"
    ARMBANDS = "armbands"
    CUFFS = "cuffs"
    PEAK = "peak"
    POM_POM = "pom pom"

    @property
    def pattern(self) -> SilkPattern:
        """The nearest of the client's patterns."""
        return _PATTERNS[self]

    @property
    def is_trim(self) -> bool:
        """Whether it only trims a part, so that any other mark says more about it."""
        return self in _TRIM

    @property
    def covers(self) -> bool:
        """Whether it is a pattern of the whole cloth, which the sleeves share when nothing is said of them."""
        return self in _COVERING


_NEAREST: dict[SilkPattern, tuple[Shape, ...]] = {
    # A logo or letters leave the cloth as it is.
    SilkPattern.SOLID: (Shape.PLAIN, Shape.EMBLEM, Shape.PEAK, Shape.POM_POM),
    SilkPattern.STRIPES: (
        Shape.STRIPES,
        Shape.STRIPE,
        Shape.DIAGONAL_STRIPES,
        Shape.VERTICAL_THIRDS,
        Shape.SASH,
        Shape.BRACES,
        Shape.PANEL,
        Shape.LIGHTNING,
    ),
    # A chevron is a hoop with a bend.
    SilkPattern.HOOPS: (
        Shape.HOOPS,
        Shape.BAND,
        Shape.ZIGZAG,
        Shape.THIRDS,
        Shape.CHEVRONS,
        Shape.VEE,
        Shape.BRAID,
        Shape.WAISTBAND,
        Shape.ARMBANDS,
    ),
    SilkPattern.CHECKED: (Shape.CHECKS, Shape.TARTAN),
    SilkPattern.DIAMOND: (Shape.DIAMONDS, Shape.DIAMOND, Shape.TRIANGLES),
    # A yoke is the upper part of the jacket.
    SilkPattern.HALVED: (Shape.HALVES, Shape.HORIZONTAL_HALVES, Shape.DIAGONAL_HALVES, Shape.YOKE),
    # A diabolo is four triangles that meet in the middle.
    SilkPattern.QUARTERED: (Shape.QUARTERS, Shape.DIABOLO),
    SilkPattern.CROSS: (Shape.CROSS, Shape.MALTESE_CROSS, Shape.CROSSED_SASHES),
    # Figures are scattered over the cloth like spots.
    SilkPattern.SPOTS: (
        Shape.SPOTS,
        Shape.SPOT,
        Shape.STARS,
        Shape.STAR,
        Shape.HORSESHOE,
        Shape.FIGURES,
        Shape.FIGURE,
    ),
    SilkPattern.SEAMS: (Shape.SEAMS, Shape.EPAULETTES, Shape.COLLAR, Shape.CUFFS),
}
_PATTERNS = {shape: pattern for pattern, shapes in _NEAREST.items() for shape in shapes}

_TRIM = frozenset({Shape.EMBLEM, Shape.COLLAR, Shape.WAISTBAND, Shape.ARMBANDS, Shape.CUFFS, Shape.PEAK, Shape.POM_POM})
_COVERING = frozenset(
    {
        Shape.STRIPES,
        Shape.DIAGONAL_STRIPES,
        Shape.HOOPS,
        Shape.CHECKS,
        Shape.TARTAN,
        Shape.DIAMONDS,
        Shape.TRIANGLES,
        Shape.SPOTS,
        Shape.STARS,
    }
)
