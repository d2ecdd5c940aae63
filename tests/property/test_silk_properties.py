"""What holds for every silk text, every colour and every pair of colours."""

from __future__ import annotations

import re
from itertools import combinations_with_replacement
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from raceday.domain.silks.colours import COLOURS, contrast, named_colour
from raceday.domain.silks.drawing import dividing_line, draw_silk, outline_for
from raceday.domain.silks.silk import silk_id
from raceday.domain.silks.text import read_silk
from raceday.domain.silks.words import EMBLEM_WORDS, FILLERS, JOINING_WORDS, PART_WORDS, SHAPE_WORDS

SVG = "{http://www.w3.org/2000/svg}"
WORDS = sorted(
    {*COLOURS, *PART_WORDS, *JOINING_WORDS, *FILLERS, *EMBLEM_WORDS, ","}
    | {word for words in SHAPE_WORDS.values() for word in words}
)
silk_words = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=25).map(" ".join)
colours = st.sampled_from(list(COLOURS.values()))
hexes = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(silk_words | st.text(max_size=200))
def test_any_text_is_read_and_drawn_and_always_in_the_same_way(text: str) -> None:
    silk = read_silk(text)
    assert silk == read_silk(text)
    assert silk.resolved == (silk.pattern is not None)
    assert silk.resolved == all(part is not None for part in (silk.body, silk.sleeves, silk.cap))
    svg = draw_silk(silk)
    assert svg == draw_silk(silk)
    assert len(svg) < 20_000
    ElementTree.fromstring(svg)


@given(silk_words)
def test_case_spaces_and_the_ampersand_make_no_difference(text: str) -> None:
    plain, other = read_silk(text), re.sub(r"\band\b", "&", text).upper().replace(" ", "  ")
    changed = read_silk(f" {other} ")
    if text.isascii():
        assert silk_id(other) == silk_id(text)
        assert (changed.body, changed.sleeves, changed.cap) == (plain.body, plain.sleeves, plain.cap)
        assert changed.unresolved == plain.unresolved


@given(colours, st.sampled_from(sorted(SHAPE_WORDS)), st.data())
def test_a_text_that_is_understood_has_used_all_its_colours(body: object, shape: object, data: st.DataObject) -> None:
    others = st.sampled_from([colour for colour in COLOURS.values() if colour != body])
    mark = data.draw(others)
    sleeves, cap = data.draw(others.filter(lambda c: c != mark)), data.draw(others.filter(lambda c: c != mark))
    silk = read_silk(
        f"{body.name}, {mark.name} {SHAPE_WORDS[shape][0]}, {sleeves.name} sleeves, {cap.name} cap, {mark.name} stars"
    )
    assert silk.unresolved == ()
    assert {colour for part in (silk.body, silk.sleeves, silk.cap) for colour in part.colours} >= {body, sleeves, cap}
    assert (silk.body.ground, silk.sleeves.ground, silk.cap.ground) == (body, sleeves, cap)
    assert mark in silk.cap.colours
    assert shape in {put.shape for part in (silk.body, silk.sleeves, silk.cap) for put in part.marks}


@given(colours, colours, colours)
def test_the_outline_of_every_part_stands_out_from_the_background(body: object, sleeves: object, cap: object) -> None:
    root = ElementTree.fromstring(draw_silk(read_silk(f"{body.name}, {sleeves.name} sleeves, {cap.name} cap")))
    background = root.find(f"{SVG}rect").get("fill")
    edges = [path.get("stroke") for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    assert len(edges) == 5
    assert all(contrast(edge, background) >= 3 for edge in edges)


def test_the_outline_of_plain_silks_stands_out_from_every_colour_of_the_vocabulary() -> None:
    for colour in COLOURS.values():
        assert contrast(outline_for([colour.hex]), colour.hex) >= 3, colour


def test_two_colours_of_the_vocabulary_stand_out_or_are_divided() -> None:
    for first, second in combinations_with_replacement(COLOURS.values(), 2):
        line = dividing_line(first.hex, second.hex)
        if line is None:
            assert contrast(first.hex, second.hex) >= 2
        else:
            assert min(contrast(line, first.hex), contrast(line, second.hex)) >= 3, (first, second)


@given(hexes, hexes)
def test_any_two_colours_stand_out_or_are_divided(first: str, second: str) -> None:
    line = dividing_line(first, second)
    assert min(contrast(line, first), contrast(line, second)) >= 3 if line else contrast(first, second) >= 2


@given(st.sampled_from(["light", "dark", "pale", "deep", "bright", "medium", "soft", "baby"]), colours)
def test_a_shade_of_a_colour_is_a_colour(shade: str, colour: object) -> None:
    mixed = named_colour(f"{shade} {colour.name}")
    assert mixed is not None
    assert re.fullmatch("#[0-9a-f]{6}", mixed.hex)
