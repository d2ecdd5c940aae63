"""Draws silks as an icon: cap, jacket and sleeves on a ground of its own, as SVG.

The icon brings its background, white or near black, so that it reads on any page. Every part has an outline in the
other of the two, which stands out from the background by far more than 3:1, and from the cloth too: black silks lie
on near black with white outlines, white ones on white with black outlines. Where two colours that touch differ by less
than 2:1 (navy on royal blue, cream on white) a thin line divides them. Nothing of the feed's text gets into it but an
escaped title.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from raceday.domain.silks.colours import contrast
from raceday.domain.silks.figures import figure_pieces
from raceday.domain.silks.paths import Box, disc, polygon, rectangle
from raceday.domain.silks.shapes import Shape
from raceday.domain.silks.silk import Garment, Mark, Silk

INK = "#101418"
PAPER = "#ffffff"
UNKNOWN_CLOTH = "#8b9096"
APART = 2.0
"""The least contrast of two colours that touch without a line between them."""
MAX_TITLE = 200

_BODY = Box(10, 10, 12, 19)
_LEFT = Box(2, 10, 8, 14)
_RIGHT = Box(22, 10, 8, 14)
_CAP = Box(11, 3, 10, 6)
_BODY_OUTLINE = rectangle(10, 10, 12, 19)
_LEFT_OUTLINE = polygon(((10, 10), (7, 10), (2, 21), (6, 24), (10, 17)))
_RIGHT_OUTLINE = polygon(((22, 10), (25, 10), (30, 21), (26, 24), (22, 17)))
_CAP_OUTLINE = "M11 9v-1.5a5 4.5 0 0 1 10 0v1.5z"
_PEAK = rectangle(21, 7, 4, 2)
_POM_POM = disc(16, 3, 1.5)
_QUESTION = "M13.5 17.5v-1a2.5 2.5 0 0 1 5 0c0 2-2.5 2-2.5 4.5m0 2v2"


def draw_silk(silk: Silk) -> str:
    """Return the icon of a silk as an SVG document of at most some 6 KB.

    One that was not understood shows a question mark on the jacket's colour, or on grey.
    """
    grounds = [part.ground.hex for part in (silk.body, silk.sleeves, silk.cap) if part] or [UNKNOWN_CLOTH]
    outline = outline_for(grounds)
    background = INK if outline == PAPER else PAPER
    drawing = _Drawing(silk.silk_id, outline)
    if silk.resolved and silk.body and silk.sleeves and silk.cap:
        drawing.part("l", _LEFT, _LEFT_OUTLINE, silk.sleeves)
        drawing.part("r", _RIGHT, _RIGHT_OUTLINE, silk.sleeves)
        drawing.part("b", _BODY, _BODY_OUTLINE, silk.body)
        drawing.cap(silk.cap)
    else:
        drawing.question(grounds[0])
    title = escape("".join(letter for letter in silk.text if letter.isprintable())[:MAX_TITLE])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" role="img">'
        f'<title>{title}</title><rect width="32" height="32" rx="4" fill="{background}"/>'
        f"{''.join(drawing.elements)}</svg>"
    )


def outline_for(cloths: Sequence[str]) -> str:
    """Return near black or white, whichever stands out better from the cloth that it stands out from least."""
    return max((INK, PAPER), key=lambda line: min(contrast(line, cloth) for cloth in cloths))


def dividing_line(first: str, second: str) -> str | None:
    """Return the line that has to divide two colours, near black or white; None when they stand out themselves.

    It stands out from both by 3:1 at least: two colours nearer than 2:1 cannot both be near black and near white.
    """
    if contrast(first, second) >= APART:
        return None
    return outline_for((first, second))


class _Drawing:
    """The elements of one icon. Clip paths are named after the silk, for icons that stand in one page."""

    def __init__(self, silk_id: str, outline: str) -> None:
        self.elements: list[str] = []
        self._name = f"s{silk_id[:12]}"
        self._outline = outline

    def part(self, letter: str, box: Box, edge: str, garment: Garment) -> None:
        """Draw one part: its cloth, what is on it, and its outline."""
        clip = f"{self._name}{letter}"
        marks = "".join(_mark(mark, box, garment.ground.hex) for mark in garment.marks)
        self.elements.append(f'<path d="{edge}" fill="{garment.ground.hex}"/>')
        if marks:
            self.elements.append(
                f'<clipPath id="{clip}"><path d="{edge}"/></clipPath>'
                f'<g clip-path="url(#{clip})" shape-rendering="crispEdges">{marks}</g>'
            )
        self._edge(edge)

    def cap(self, cap: Garment) -> None:
        """Draw the cap with its peak, and the pom pom if it has one."""
        trims = {mark.shape: mark.colours for mark in cap.marks}
        peak = next(iter(trims.get(Shape.PEAK, ())), cap.ground)
        self._filled(_PEAK, peak.hex)
        self.part("c", _CAP, _CAP_OUTLINE, cap)
        if Shape.POM_POM in trims:
            self._filled(_POM_POM, next(iter(trims[Shape.POM_POM]), cap.ground).hex)

    def question(self, cloth: str) -> None:
        """Draw silks that nobody understood."""
        for edge in (_LEFT_OUTLINE, _RIGHT_OUTLINE, _BODY_OUTLINE, _PEAK, _CAP_OUTLINE):
            self._filled(edge, cloth)
        line = outline_for([cloth])
        self.elements.append(f'<path d="{_QUESTION}" fill="none" stroke="{line}" stroke-width="2"/>')

    def _filled(self, edge: str, colour: str) -> None:
        self.elements.append(f'<path d="{edge}" fill="{colour}"/>')
        self._edge(edge)

    def _edge(self, edge: str) -> None:
        self.elements.append(f'<path d="{edge}" fill="none" stroke="{self._outline}"/>')


def _mark(mark: Mark, box: Box, ground: str) -> str:
    """Return a mark's pieces, one path for each of its colours; one that has none told is drawn in black or white."""
    colours = [colour.hex for colour in mark.colours] or [outline_for([ground])]
    pieces = figure_pieces(mark.shape, box, len(colours))
    paths = []
    for number, colour in enumerate(colours):
        own = "".join(pieces[number :: len(colours)])
        line = dividing_line(colour, ground)
        stroke = f' stroke="{line}" stroke-width=".5"' if line else ""
        if own:
            paths.append(f'<path d="{own}" fill="{colour}"{stroke}/>')
    return "".join(paths)
