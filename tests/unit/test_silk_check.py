"""The text of silks against the colours of a picture."""

from __future__ import annotations

import pytest

from raceday.domain.silks.check import ImageColour, Verdict, check_colours
from raceday.domain.silks.text import read_silk

RED, GOLD = "#d01010", "#f0c020"


@pytest.mark.parametrize(
    ("text", "seen", "verdict", "word"),
    [
        ("red, gold sash", [(RED, 0.6), (GOLD, 0.2)], Verdict.AGREES, "red and gold"),
        ("red, gold sash", [(RED, 0.8)], Verdict.DIFFERS, "no gold"),
        ("red, gold sash", [(RED, 0.8), (GOLD, 0.01)], Verdict.DIFFERS, "no gold"),
        ("red, gold sash", [("#2040c0", 1.0)], Verdict.DIFFERS, "no red and no gold"),
        ("red, black sleeves", [(RED, 0.5)], Verdict.AGREES, "red"),
        ("red", [], Verdict.DIFFERS, "no red"),
        ("red, gold wombats", [(RED, 1.0)], Verdict.NONE, "not understood"),
    ],
)
def test_the_jackets_colours_have_to_be_in_the_picture(
    text: str, seen: list[tuple[str, float]], verdict: Verdict, word: str
) -> None:
    check = check_colours(read_silk(text), [ImageColour(*colour) for colour in seen])
    assert check.verdict is verdict
    assert word in check.reason


@pytest.mark.parametrize("shade", ["#e02b20", "#c01818", "#ff2020"])
def test_a_colour_may_be_some_way_off(shade: str) -> None:
    assert check_colours(read_silk("red"), [ImageColour(shade, 1.0)]).verdict is Verdict.AGREES
