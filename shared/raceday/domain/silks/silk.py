"""A jockey's silks as they are understood: jacket, sleeves and cap, each with its cloth and the marks on it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from raceday.domain.ids import derived_id
from raceday.domain.silks.colours import SilkColour
from raceday.domain.silks.shapes import Shape, SilkPattern

_SPACE = re.compile(r"\s+")
_AND = re.compile(r"\s*&\s*")
_COMMA = re.compile(r"\s*(?:,\s*)+")


class PartName(StrEnum):
    """The three parts of silks."""

    BODY = "body"
    SLEEVES = "sleeves"
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the cloth: its shape, its colours, and the words that the text has for it."""

    shape: Shape
    colours: tuple[SilkColour, ...]
    term: str


@dataclass(frozen=True, slots=True)
class Garment:
    """One part: the colour of its cloth and the marks on it, the first one the most telling.

    `stated` is False for a part that the text says nothing about, so that it follows the jacket.
    """

    ground: SilkColour
    marks: tuple[Mark, ...] = ()
    stated: bool = True

    @property
    def shape(self) -> Shape:
        """What the part looks like: its first mark that is more than trimming, else its first mark, else plain."""
        telling = [mark.shape for mark in self.marks if not mark.shape.is_trim]
        return next(iter([*telling, *(mark.shape for mark in self.marks)]), Shape.PLAIN)

    @property
    def colours(self) -> tuple[SilkColour, ...]:
        """Every colour of the part once, its cloth first."""
        return tuple(dict.fromkeys((self.ground, *(colour for mark in self.marks for colour in mark.colours))))


@dataclass(frozen=True, slots=True)
class Silk:
    """What a silk text means.

    `unresolved` are the words that were not understood, or told too little; with any of them nothing is claimed but
    the colour of the jacket, if that was told: no sleeves, no cap, no pattern.
    """

    silk_id: str
    text: str
    body: Garment | None
    sleeves: Garment | None
    cap: Garment | None
    unresolved: tuple[str, ...] = ()

    @property
    def resolved(self) -> bool:
        """Whether every word was understood."""
        return not self.unresolved

    @property
    def pattern(self) -> SilkPattern | None:
        """The jacket's pattern in the client's words, or None when the text was not understood."""
        return self.body.shape.pattern if self.resolved and self.body is not None else None

    @property
    def primary(self) -> SilkColour | None:
        """The colour of the jacket's cloth."""
        return self.body.ground if self.body is not None else None

    @property
    def secondary(self) -> SilkColour | None:
        """The next colour of the jacket, else of the sleeves, else of the cap; None for silks of one colour."""
        parts = [part for part in (self.body, self.sleeves, self.cap) if part is not None]
        others = (colour for part in parts for colour in part.colours if colour != self.primary)
        return next(others, None)


def normalised_silk(text: str) -> str:
    """Return a silk text without what makes no difference: case, spaces, `&` for `and`, a full stop at the end."""
    folded = _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    folded = _COMMA.sub(", ", _AND.sub(" and ", folded))
    return _SPACE.sub(" ", folded).strip(" .,")


def silk_id(text: str) -> str:
    """Return the id of a silk text: the same for all ways to write it that make no difference."""
    return derived_id("silk", normalised_silk(text))
