"""The page about silks says what the vocabulary says."""

from __future__ import annotations

from pathlib import Path

from raceday.domain.silks.colours import COLOURS
from raceday.domain.silks.document import vocabulary_markdown
from raceday.domain.silks.words import SHAPE_WORDS

PAGE = Path(__file__).parents[2] / "docs" / "silks.md"


def test_the_page_ends_with_the_vocabulary() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index("## The vocabulary") :] == vocabulary_markdown(), (
        "docs/silks.md is stale: replace its last section by what vocabulary_markdown() of domain/silks says"
    )


def test_every_word_of_shapes_and_every_colour_is_on_it() -> None:
    lines = vocabulary_markdown().splitlines()
    for shape, words in SHAPE_WORDS.items():
        [line] = [line for line in lines if line.startswith(f"| {shape.value} |") and line.count("|") == 5]
        assert ", ".join(words) in line
        assert f" {shape.pattern.value} |" in line
    for name, colour in COLOURS.items():
        assert f"| {name} | `{colour.hex}` |" in lines
