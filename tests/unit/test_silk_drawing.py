"""The icon of silks: well-formed, harmless, of many shapes, legible."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from raceday.domain.silks.colours import COLOURS, contrast, distance, named_colour
from raceday.domain.silks.drawing import INK, PAPER, dividing_line, draw_silk, outline_for
from raceday.domain.silks.shapes import Shape, SilkPattern
from raceday.domain.silks.text import read_silk
from raceday.domain.silks.words import SHAPE_WORDS

SVG = "{http://www.w3.org/2000/svg}"
HARMLESS = {"svg", "title", "rect", "path", "clipPath", "g"}
LARGEST = 20_000
"""What the column of the drawing takes."""


def drawn(text: str) -> ElementTree.Element:
    """The icon of a text, parsed."""
    return ElementTree.fromstring(draw_silk(read_silk(text)))


@pytest.mark.parametrize("text", ["red", "Anzac colours", "", "navy, royal blue stars, cream & white quartered cap"])
def test_an_icon_is_a_32_pixel_drawing_of_harmless_elements(text: str) -> None:
    root = drawn(text)
    assert (root.tag, root.get("viewBox")) == (f"{SVG}svg", "0 0 32 32")
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in HARMLESS
        assert not [name for name in element.attrib if "href" in name or name.startswith("on")]


def test_the_title_is_the_text_and_nothing_of_it_is_markup() -> None:
    nasty = 'red, </title><script>alert("1")</script> & \x00\x1b ]]>'
    root = drawn(nasty)
    [title] = root.iter(f"{SVG}title")
    assert title.text == 'red, </title><script>alert("1")</script> &  ]]>'
    assert [element for element in root.iter() if "script" in element.tag] == []


def shape_text(shape: Shape) -> str:
    return "red" if shape is Shape.PLAIN else f"red, white {SHAPE_WORDS[shape][0]}"


def test_every_shape_has_words_and_a_drawing_of_its_own() -> None:
    assert set(SHAPE_WORDS) | {Shape.PLAIN, Shape.EMBLEM} == set(Shape)
    texts = {shape: shape_text(shape) for shape in Shape if shape is not Shape.EMBLEM} | {Shape.EMBLEM: "red, white ZZ"}
    bodies = {
        shape: re.sub("<title>.*?</title>|s[0-9a-f]{12}", "", draw_silk(read_silk(t))) for shape, t in texts.items()
    }
    assert len(set(bodies.values())) == len(Shape)
    for shape, text in texts.items():
        silk = read_silk(text)
        assert shape in {part.shape for part in (silk.body, silk.sleeves, silk.cap) if part}, text


def test_every_shape_is_one_of_the_clients_patterns_and_all_of_these_occur() -> None:
    assert {shape.pattern for shape in Shape} == set(SilkPattern)


def test_icons_stay_small() -> None:
    usual = draw_silk(read_silk("black, white stars, striped sleeves, quartered cap"))
    assert len(usual) < 3000
    marks = ["stars", "checks", "diamonds", "tartan", "figures", "triangles"]
    crowded = ", ".join(f"white {mark}" for mark in marks if mark != "figures")
    text = f"black, {crowded}, red sleeves, {crowded}, red cap, {crowded}"
    silk = read_silk(text)
    assert silk.resolved
    assert len(draw_silk(silk)) < LARGEST


def test_two_colours_of_a_band_lie_side_by_side() -> None:
    paths = [path.get("fill") for path in drawn("red, white and black band").iter(f"{SVG}path")]
    assert {"#ffffff", "#111111"} <= set(paths)


def test_near_colours_are_divided_by_a_line_and_others_are_not() -> None:
    strokes = {
        path.get("stroke") for path in drawn("navy, dark blue stars").iter(f"{SVG}path") if path.get("stroke-width")
    }
    assert strokes == {PAPER}
    assert not [path for path in drawn("navy, white stars").iter(f"{SVG}path") if path.get("stroke-width")]


def test_an_icon_that_is_not_understood_shows_a_mark_on_the_jackets_colour() -> None:
    root = drawn("red, white wombats")
    assert COLOURS["red"].hex in {path.get("fill") for path in root.iter(f"{SVG}path")}
    assert [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "2"]


def test_black_silks_lie_on_near_black_and_white_ones_on_white() -> None:
    assert (outline_for(["#000000"]), outline_for(["#ffffff"])) == (PAPER, INK)
    grounds = [drawn(text).find(f"{SVG}rect").get("fill") for text in ("black", "white", "navy, black cap")]
    assert grounds == [INK, PAPER, INK]
    assert contrast(INK, PAPER) >= 15
    assert dividing_line("#000000", "#ffffff") is None


def test_contrast_and_distance_are_those_of_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert distance("#000000", "#ffffff") == pytest.approx(1, abs=1e-3)
    assert distance("#123456", "#123456") == 0


def test_a_colour_knows_its_rgb_and_whether_it_is_light() -> None:
    assert COLOURS["navy blue"].rgb == (0x14, 0x20, 0x4A)
    assert COLOURS["yellow"].is_light
    assert not COLOURS["navy blue"].is_light


def test_shades_are_mixed_and_names_that_are_none_are_none() -> None:
    light, dark, base = named_colour("light purple"), named_colour("dark purple"), named_colour("purple")
    assert light is not None
    assert dark is not None
    assert base is not None
    assert (light.name, dark.name) == ("light purple", "dark purple")
    assert contrast(light.hex, "#000000") > contrast(base.hex, "#000000") > contrast(dark.hex, "#000000")
    assert named_colour("emerald") == COLOURS["emerald green"]
    assert [named_colour(name) for name in ("light", "dark sleeves", "", "purple light")] == [None] * 4
