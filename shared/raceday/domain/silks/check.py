"""Compares what a silk text says with what a picture of the silks shows. It never changes what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from raceday.domain.silks.colours import SilkColour, distance
from raceday.domain.silks.silk import Silk

ALIKE = 0.2
"""The distance in Oklab up to which a colour of the picture may be the one that was named.

Names are loose: one painter's gold is another's yellow (0.12), one's blue another's royal blue (0.10). What must be
told apart lies farther: white and yellow 0.21, red and maroon 0.24, red and blue 0.36.
"""
LEAST_SHARE = 0.02
"""A colour of the picture counts from this share of its pixels on."""


@dataclass(frozen=True, slots=True)
class ImageColour:
    """A colour of a picture as `#rrggbb`, and the share of the picture that it covers, 0 to 1."""

    hex: str
    share: float


class Verdict(StrEnum):
    """What came of looking at a picture."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNAVAILABLE = "unavailable"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ColourCheck:
    """What came of it, and why."""

    verdict: Verdict
    reason: str


def check_colours(silk: Silk, seen: Sequence[ImageColour]) -> ColourCheck:
    """Say whether a picture shows the jacket's colours: its cloth, and its next colour if it has one."""
    if not silk.resolved or silk.body is None:
        return ColourCheck(Verdict.NONE, "the text was not understood")
    shown = [colour.hex for colour in seen if colour.share >= LEAST_SHARE]
    missing = [colour.name for colour in silk.body.colours[:2] if not _is_among(colour, shown)]
    if missing:
        return ColourCheck(Verdict.DIFFERS, f"the picture shows no {' and no '.join(missing)}")
    return ColourCheck(Verdict.AGREES, f"the picture shows {' and '.join(c.name for c in silk.body.colours[:2])}")


def _is_among(colour: SilkColour, shown: Sequence[str]) -> bool:
    return any(distance(colour.hex, other) <= ALIKE for other in shown)
