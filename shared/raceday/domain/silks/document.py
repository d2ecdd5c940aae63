"""The vocabulary of silk texts as the last section of docs/silks.md; a test holds the page to it."""

from __future__ import annotations

from collections.abc import Iterable

from raceday.domain.silks.colours import COLOURS, OTHER_NAMES, SHADES, SPELLINGS
from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.words import COUNT_WORDS, EMBLEM_WORDS, FILLERS, JOINING_WORDS, PLACES, SHAPE_WORDS


def vocabulary_markdown() -> str:
    """Return the section: shapes with their words, colours with their hex values, and the other words."""
    shapes = (_shape_line(shape, words) for shape, words in SHAPE_WORDS.items())
    colours = (f"| {name} | `{colour.hex}` |" for name, colour in COLOURS.items())
    return "\n".join(
        [
            "## The vocabulary",
            "",
            "| shape | words | the client's pattern | always on |",
            "|---|---|---|---|",
            *shapes,
            "",
            "| colour | hex |",
            "|---|---|",
            *colours,
            "",
            f"Other names: {_pairs(OTHER_NAMES.items())}.",
            "",
            f"Before a colour: {_listed(SHADES)}. Spellings: {_pairs(SPELLINGS.items())}.",
            "",
            f"Emblems: {_listed(sorted(EMBLEM_WORDS))}; the words before one are its name.",
            "",
            f"Joining: {_pairs(JOINING_WORDS.items())}.",
            "",
            f"Without meaning for a small drawing: {_listed(sorted(FILLERS | COUNT_WORDS))}.",
            "",
            "So are numbers, `(b&f)`, `(front & back)` and `(body & sleeves)`.",
            "",
        ]
    )


def _shape_line(shape: Shape, words: Iterable[str]) -> str:
    place = PLACES.get(shape)
    return f"| {shape.value} | {_listed(words)} | {shape.pattern.value} | {place.value if place else ''} |"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{word} = {meant}" for word, meant in pairs)
