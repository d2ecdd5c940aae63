"""Silk texts and what they mean; the texts are made up in the manner of the feed's."""

from __future__ import annotations

import pytest

from raceday.domain.silks.shapes import Shape, SilkPattern
from raceday.domain.silks.silk import Garment, silk_id
from raceday.domain.silks.text import read_silk


def told(garment: Garment | None) -> str:
    """A part in words: `red + stars white`; round brackets when the text does not mention the part."""
    if garment is None:
        return "-"
    marks = [f" + {mark.shape.value} {'/'.join(c.name for c in mark.colours)}".rstrip() for mark in garment.marks]
    words = garment.ground.name + "".join(marks)
    return words if garment.stated else f"({words})"


@pytest.mark.parametrize(
    ("text", "body", "sleeves", "cap", "pattern"),
    [
        # The two styles of the feed.
        ("Cerise & gold hoops, cerise sleeves & quartered cap", "cerise + hoops gold", "cerise",
         "cerise + quarters gold", "hoops"),
        ("BLUE, YELLOW MALTESE CROSS", "blue + maltese cross yellow", "(blue)", "(blue)", "cross"),
        # A colour alone, with a shade, and with words that are written in several ways.
        ("All mauve", "mauve", "(mauve)", "(mauve)", "solid"),
        ("Dk Green, Fluro Pink cap.", "dark green", "(dark green)", "fluorescent pink", "solid"),
        ("PALE ORANGE, NAVY CAP", "pale orange", "(pale orange)", "navy blue", "solid"),
        # A part without a colour of its own has the one before it; a list of parts shares it.
        ("RED, WHITE BAND, ARMBANDS AND CAP", "red + band white", "red + armbands white", "white", "hoops"),
        ("GREEN, PINK SLEEVES AND CAP", "green", "pink", "pink", "solid"),
        ("BLACK, GREY HOOPED SLEEVES AND CAP", "black", "black + hoops grey", "black + hoops grey", "solid"),
        ("RED & BLUE HALVES & SLEEVES", "red + halves blue", "red + halves blue", "(red)", "halved"),
        # A patterned part: two colours told, one, none.
        ("PINK, GOLD STAR, BLACK AND WHITE STRIPED CAP", "pink + star gold", "(pink)", "black + stripes white",
         "spots"),
        ("PINK, GOLD STAR, BLACK CHECKED SLEEVES", "pink + star gold", "pink + checks black", "(pink)", "spots"),
        ("PINK, GOLD STAR, CHECKED SLEEVES", "pink + star gold", "pink + checks gold", "(pink)", "spots"),
        ("PINK, GOLD STARS, PINK SPOTS CAP", "pink + stars gold", "(pink + stars gold)", "gold + spots pink", "spots"),
        ("DARK GREEN, LILAC SLEEVES, QUARTERED CAP", "dark green", "lilac", "dark green + quarters lilac", "solid"),
        ("RED, WHITE AND GREEN STARS SLEEVES AND STAR CAP", "red", "white + stars green", "white + star green",
         "solid"),
        # A phrase without a part is about the part named last; `with` and `on` say it aloud.
        ("RED, BLACK SLEEVES, WHITE STARS, GOLD CAP, RED SPOTS", "red", "black + stars white", "gold + spots red",
         "solid"),
        ("RED, BLACK SLEEVES WITH WHITE STARS", "red", "black + stars white", "(red)", "solid"),
        ("AQUA, RED STAR, DIAMONDS ON SLEEVES AND CAP", "aqua + star red", "aqua + diamonds red",
         "aqua + diamonds red", "spots"),
        ("AQUA, GOLD SLEEVES WITH RED STARS DOWN SLEEVES", "aqua", "gold + stars red", "(aqua)", "solid"),
        ("RED CAP", "-", "-", "-", None),
        ("BLUE, RED SLEEVES WHITE CHECKED, BLACK CAP GOLD SPOTS", "blue", "red + checks white", "black + spots gold",
         "solid"),
        ("RED, WHITE ARMBANDS, BLUE SLEEVES", "red", "blue + armbands white", "(red)", "solid"),
        # What can only be on one part goes there, wherever the text has got to.
        ("TEAL, WHITE SLEEVES, RED CROSSED SASHES, BLACK PEAK, GOLD POM POM", "teal + crossed sashes red", "white",
         "teal + peak black + pom pom gold", "cross"),
        ("BLUE, GREEN SLEEVES AND MALTESE CROSS", "blue + maltese cross green", "green", "(blue)", "cross"),
        # Colours that go on over a comma.
        ("NAVY, WHITE STAR, NAVY, RED AND WHITE STRIPED SLEEVES", "navy blue + star white",
         "navy blue + stripes red/white", "(navy blue)", "spots"),
        ("WHITE, BLACK, PINK AND GREY VEE", "white + vee black/pink/grey", "(white)", "(white)", "hoops"),
        # Pattern upon pattern: the last word is the thing, an adjective begins a new one.
        ("GREY, RED DIAMOND SASH", "grey + sash red", "(grey)", "(grey)", "stripes"),
        ("GREY, RED HEARTS QUARTERED CAP", "grey + figures red", "(grey)", "grey + quarters red", "spots"),
        ("GREY, RED STAR OUTLINE", "grey + star red", "(grey)", "(grey)", "spots"),
        # Emblems: named, lettered, in their own colours; they leave the cloth as it is.
        ("RED, WHITE HAPPY VALLEY RACING LOGO, WHITE CAP", "red + emblem white", "(red)", "white", "solid"),
        ("RED, HAPPY VALLEY RACING LOGO, STRIPED SLEEVES, WHITE CAP", "-", "-", "-", None),
        ("GREEN, GOLD XY AND STRIPES", "green + emblem gold + stripes gold", "(green + stripes gold)", "(green)",
         "stripes"),
        ("GREEN, GOLD 'TOM', WHITE V", "green + emblem gold + vee white", "(green)", "(green)", "hoops"),
        # What lies on an earlier mark may have the colour of the cloth, and an edge may be of the cloth.
        ("RED, BLACK YOKE, 3 RED DIAMONDS", "red + yoke black + diamonds red", "(red + diamonds red)", "(red)",
         "halved"),
        ("RED, WHITE CAP AND POM POM", "red", "(red)", "white + pom pom white", "solid"),
        # The whole cloth goes on over the sleeves, single things do not.
        ("RED AND WHITE CHECKS, BLACK ARMBANDS", "red + checks white", "red + checks white + armbands black", "(red)",
         "checked"),
        ("RED, WHITE SASH (B&F), BLACK ARMBANDS", "red + sash white", "red + armbands black", "(red)", "stripes"),
    ],
)  # fmt: skip
def test_parts_colours_and_pattern(text: str, body: str, sleeves: str, cap: str, pattern: str | None) -> None:
    silk = read_silk(text)
    if pattern is None:
        assert not silk.resolved
        assert (silk.sleeves, silk.cap, silk.pattern) == (None, None, None)
        return
    assert silk.unresolved == ()
    assert (told(silk.body), told(silk.sleeves), told(silk.cap)) == (body, sleeves, cap)
    assert silk.pattern == SilkPattern(pattern)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RED, WHITE WOMBATS", ("wombats",)),
        ("Zebra colours", ("zebra", "colours")),
        ("MULTI-COLOURED CHECKS, RED CAP", ("multi-coloured", "checks")),
        ("GREEN AND GOLD, RED CAP", ("gold",)),
        ("GREEN, BLUE AND GOLD CAP", ("gold",)),
        ("GREEN, HOOPED SLEEVES", ("hooped",)),
        ("GREEN, GREEN STARS", ("stars",)),
        ("GREEN, WHITE SLEEVES, STAR ARMBANDS", ("star", "armbands")),
        ("GREEN, WHITE STAR, RED", ("red",)),
        ("SLEEVES", ("sleeves",)),
        ("RED, WHITE SLEEVES, BLUE SLEEVES", ("blue",)),
        ("RED, WHITE ARMBANDS, WHITE SLEEVES", ("armbands",)),
        ("RED, WHITE ARMBANDS CAP", ("white", "armbands", "cap")),
        ("QUARTERED, HOOPED SLEEVES", ("quartered", "hooped", "sleeves")),
        ("", ("no colour",)),
        (" , & ", ("no colour",)),
    ],
)
def test_what_is_not_understood_is_named_and_nothing_guessed(text: str, words: tuple[str, ...]) -> None:
    silk = read_silk(text)
    assert silk.unresolved == words
    assert not silk.resolved
    assert (silk.pattern, silk.secondary, silk.sleeves, silk.cap) == (None, None, None, None)


def test_the_jackets_colour_is_told_even_when_the_rest_is_not_understood() -> None:
    silk = read_silk("RED, WHITE WOMBATS, BLACK CAP")
    assert silk.primary is not None
    assert silk.primary.name == "red"
    assert silk.body == Garment(silk.primary)


def test_more_marks_than_any_silks_have_are_not_understood() -> None:
    marks = ["stars", "hoops", "spots", "sash", "braces", "yoke", "collar"]
    assert read_silk("red, " + ", ".join(f"white {mark}" for mark in marks[:6])).resolved
    assert read_silk("red, " + ", ".join(f"white {mark}" for mark in marks)).unresolved == ("collar",)


def test_the_next_colour_is_that_of_the_jacket_then_the_sleeves_then_the_cap() -> None:
    texts = ("red, white sash, blue sleeves, black cap", "red, blue sleeves, black cap", "red, black cap", "red")
    seconds = [read_silk(text).secondary for text in texts]
    assert [colour.name if colour else None for colour in seconds] == ["white", "blue", "black", None]


def test_the_telling_mark_of_a_part_comes_before_its_trimming() -> None:
    silk = read_silk("red, white collar, white stripes")
    assert silk.body is not None
    assert silk.body.shape is Shape.STRIPES
    collar_only = read_silk("red, white collar")
    assert collar_only.pattern is SilkPattern.SEAMS


@pytest.mark.parametrize("other", ["RED & WHITE  hoops,black cap", " red and white Hoops , Black CAP. "])
def test_ways_of_writing_that_make_no_difference_have_one_id(other: str) -> None:
    assert silk_id(other) == silk_id("Red and white hoops, black cap")
    assert silk_id(other) != silk_id("Red and white hoops, black caps")
    assert len(silk_id(other)) == 32
