"""How each shape on silks is drawn: its pieces, as path data, in the box of the part that wears it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from raceday.domain.silks.paths import Box, Points, around, disc, lattice, polygon, rectangle, steps
from raceday.domain.silks.shapes import Shape

Figure = Callable[[Box, int], list[str]]
"""Draws a shape in so many colours, of which its pieces take turns."""

_STAR: Points = (
    (0, -2.5),
    (0.5, -0.5),
    (2.5, -0.5),
    (1, 0.5),
    (1.5, 2.5),
    (0, 1.5),
    (-1.5, 2.5),
    (-1, 0.5),
    (-2.5, -0.5),
    (-0.5, -0.5),
)
_DIAMOND: Points = ((0, -3), (2, 0), (0, 3), (-2, 0))
_SHIELD: Points = ((-1.5, -2), (1.5, -2), (1.5, 0.5), (0, 2), (-1.5, 0.5))
_BOLT: Points = ((1.5, -6), (-3, 1), (-0.5, 1), (-1.5, 6), (3, -1), (0.5, -1))
_TRIANGLE: Points = ((-2, 1.5), (2, 1.5), (0, -1.5))
_PLATE: Points = ((-3, -1), (-1, -1), (-1, -2), (1, -2), (1, -1), (3, -1), (3, 2), (-3, 2))
_HORSESHOE: Points = ((-2, -3), (2, -3), (3, -2), (3, 3), (1, 3), (1, -1), (-1, -1), (-1, 3), (-3, 3), (-3, -2))
_MALTESE: Points = (
    *((-2, -4), (0, -3), (2, -4), (0.5, -0.5)),
    *((4, -2), (3, 0), (4, 2), (0.5, 0.5)),
    *((2, 4), (0, 3), (-2, 4), (-0.5, 0.5)),
    *((-4, 2), (-3, 0), (-4, -2), (-0.5, -0.5)),
)


def figure_pieces(shape: Shape, box: Box, colours: int) -> list[str]:
    """Return the path data of a shape, one text a piece; plain cloth has none, nor what is drawn with the cap."""
    figure = _FIGURES.get(shape)
    return [] if figure is None else figure(box, max(1, colours))


def _scattered(outline: Points, across: float, down: float) -> Figure:
    return lambda box, _: [around(outline, x, y) for x, y in lattice(box, across, down)]


def _single(outline: Points, scale: float = 1) -> Figure:
    return lambda box, _: [around(outline, *box.middle, scale * box.scale)]


def _stripes(box: Box, _: int) -> list[str]:
    return [rectangle(x, box.y, 2, box.height) for x in steps(box.x + 1, box.right, 4)]


def _stripe(box: Box, _: int) -> list[str]:
    return [rectangle(box.middle[0] - 1, box.y, 2, box.height)]


def _diamonds(box: Box, _: int) -> list[str]:
    across = steps(box.x + 2, box.right + 2, 4)
    return [around(_DIAMOND, x, y) for y in steps(box.y + 3, box.bottom + 3, 6) for x in across]


def _diagonal_stripes(box: Box, _: int) -> list[str]:
    return [_slope(box, x, 3) for x in steps(box.x - box.height, box.right, 6)]


def _slope(box: Box, x: float, width: float) -> str:
    """Return a stripe that climbs at 45 degrees from `x` at the bottom of the box."""
    return polygon(((x, box.bottom), (x + box.height, box.y), (x + box.height + width, box.y), (x + width, box.bottom)))


def _hoops(box: Box, _: int) -> list[str]:
    return [rectangle(box.x, y, box.width, 2) for y in steps(box.y + 2, box.bottom, 4)]


def _band(box: Box, colours: int) -> list[str]:
    height = max(1.0, 4 * box.scale / colours)
    top = box.middle[1] - height * colours / 2
    return [rectangle(box.x, top + number * height, box.width, height) for number in range(colours)]


def _zigzag(box: Box, _: int) -> list[str]:
    y, peaks = box.middle[1], steps(box.x, box.right + 3, 3)
    above = [(x, y - (3 if number % 2 else 0)) for number, x in enumerate(peaks)]
    return [polygon((*above, *((x, top + 3) for x, top in reversed(above))))]


def _thirds(box: Box, colours: int) -> list[str]:
    height = box.height / 3
    return [rectangle(box.x, box.y + height * (1 + number), box.width, height) for number in range(min(2, colours))]


def _vertical_thirds(box: Box, colours: int) -> list[str]:
    width = box.width / 3
    return [rectangle(box.x + width * (1 + number), box.y, width, box.height) for number in range(min(2, colours))]


def _checks(box: Box, _: int) -> list[str]:
    return [
        rectangle(x, y, 3, 3)
        for row, y in enumerate(steps(box.y, box.bottom, 3))
        for x in steps(box.x + (3 if row % 2 else 0), box.right, 6)
    ]


def _tartan(box: Box, _: int) -> list[str]:
    down = [rectangle(x, box.y, 1, box.height) for x in steps(box.x + 2, box.right, 4)]
    return down + [rectangle(box.x, y, box.width, 1) for y in steps(box.y + 2, box.bottom, 4)]


def _halves(box: Box, _: int) -> list[str]:
    return [rectangle(box.middle[0], box.y, box.width / 2, box.height)]


def _horizontal_halves(box: Box, _: int) -> list[str]:
    return [rectangle(box.x, box.middle[1], box.width, box.height / 2)]


def _diagonal_halves(box: Box, _: int) -> list[str]:
    return [polygon(((box.right, box.y), (box.right, box.bottom), (box.x, box.bottom)))]


def _quarters(box: Box, _: int) -> list[str]:
    x, y = box.middle
    return [
        rectangle(x, box.y, box.width / 2, box.height / 2),
        rectangle(box.x, y, box.width / 2, box.height / 2),
    ]


def _diabolo(box: Box, _: int) -> list[str]:
    return [
        polygon(((box.x, box.y), (box.right, box.y), box.middle)),
        polygon(((box.x, box.bottom), (box.right, box.bottom), box.middle)),
    ]


def _sash(box: Box, colours: int) -> list[str]:
    return [_belt(box, number * 6 / colours, 6 / colours) for number in range(colours)]


def _belt(box: Box, down: float, height: float, *, falling: bool = True) -> str:
    """Return a sash from one shoulder to the other hip, `down` from the shoulder."""
    left, right = (0, box.height - 6) if falling else (box.height - 6, 0)
    left, right = box.y + left + down, box.y + right + down
    return polygon(((box.x, left), (box.right, right), (box.right, right + height), (box.x, left + height)))


def _crossed_sashes(box: Box, _: int) -> list[str]:
    return [_belt(box, 1, 4), _belt(box, 1, 4, falling=False)]


def _cross(box: Box, _: int) -> list[str]:
    (x, y), width = box.middle, max(2.0, 4 * box.scale)
    across = rectangle(box.x, y - width / 2, box.width, width)
    return [rectangle(x - width / 2, box.y, width, box.height), across]


def _spots(box: Box, _: int) -> list[str]:
    return [disc(x, y, 1.5) for x, y in lattice(box, 6, 4)]


def _spot(box: Box, _: int) -> list[str]:
    return [disc(*box.middle, 4 * box.scale)]


def _chevrons(box: Box, _: int) -> list[str]:
    return [_bend(box, y, 2) for y in steps(box.y + 1, box.bottom - 3, 5)]


def _vee(box: Box, _: int) -> list[str]:
    (x, _y), deep = box.middle, box.height * 0.75
    inner = (box.right - 3, box.y), (x, box.y + deep - 4), (box.x + 3, box.y)
    return [polygon(((box.x, box.y), (x, box.y + deep), (box.right, box.y), *inner))]


def _bend(box: Box, y: float, height: float) -> str:
    """Return a hoop that is bent down in the middle."""
    x, deep = box.middle[0], 3
    upper = ((box.x, y), (x, y + deep), (box.right, y))
    return polygon((*upper, *((across, down + height) for across, down in reversed(upper))))


def _braces(box: Box, _: int) -> list[str]:
    return [rectangle(box.x + 2, box.y, 2, box.height), rectangle(box.right - 4, box.y, 2, box.height)]


def _yoke(box: Box, _: int) -> list[str]:
    return [rectangle(box.x, box.y, box.width, 5 * box.scale)]


def _epaulettes(box: Box, _: int) -> list[str]:
    return [rectangle(box.x, box.y, 3, 3), rectangle(box.right - 3, box.y, 3, 3)]


def _braid(box: Box, _: int) -> list[str]:
    return [rectangle(box.x + 2, y, box.width - 4, 1) for y in steps(box.y + 4, box.bottom, 4)]


def _seams(box: Box, _: int) -> list[str]:
    inset = box.x + 2, box.middle[0] - 0.5, box.right - 3
    return [rectangle(x, box.y, 1, box.height) for x in inset]


def _panel(box: Box, _: int) -> list[str]:
    return [rectangle(box.x + 3, box.y + 4, box.width - 6, box.height - 8)]


def _collar(box: Box, _: int) -> list[str]:
    x = box.middle[0]
    return [polygon(((x - 3, box.y), (x + 3, box.y), (x, box.y + 3)))]


def _waistband(box: Box, _: int) -> list[str]:
    return [rectangle(box.x, box.bottom - 3, box.width, 3)]


def _armbands(box: Box, colours: int) -> list[str]:
    height = max(1.0, 3 / colours)
    return [rectangle(box.x, box.y + 5 + number * height, box.width, height) for number in range(colours)]


def _cuffs(box: Box, _: int) -> list[str]:
    return [rectangle(box.x, box.bottom - 3, box.width, 3)]


_FIGURES: Mapping[Shape, Figure] = {
    Shape.STRIPES: _stripes,
    Shape.STRIPE: _stripe,
    Shape.DIAGONAL_STRIPES: _diagonal_stripes,
    Shape.HOOPS: _hoops,
    Shape.BAND: _band,
    Shape.ZIGZAG: _zigzag,
    Shape.THIRDS: _thirds,
    Shape.VERTICAL_THIRDS: _vertical_thirds,
    Shape.CHECKS: _checks,
    Shape.TARTAN: _tartan,
    Shape.DIAMONDS: _diamonds,
    Shape.DIAMOND: _single(_DIAMOND, 2),
    Shape.TRIANGLES: _scattered(_TRIANGLE, 4, 3),
    Shape.HALVES: _halves,
    Shape.HORIZONTAL_HALVES: _horizontal_halves,
    Shape.DIAGONAL_HALVES: _diagonal_halves,
    Shape.QUARTERS: _quarters,
    Shape.DIABOLO: _diabolo,
    Shape.SASH: _sash,
    Shape.CROSSED_SASHES: _crossed_sashes,
    Shape.CROSS: _cross,
    Shape.MALTESE_CROSS: _single(_MALTESE, 1.5),
    Shape.SPOTS: _spots,
    Shape.SPOT: _spot,
    Shape.STARS: _scattered(_STAR, 6, 5),
    Shape.STAR: _single(_STAR, 2),
    Shape.CHEVRONS: _chevrons,
    Shape.VEE: _vee,
    Shape.LIGHTNING: _single(_BOLT),
    Shape.HORSESHOE: _single(_HORSESHOE, 1.5),
    Shape.FIGURES: _scattered(_SHIELD, 6, 5),
    Shape.FIGURE: _single(_SHIELD, 2),
    Shape.EMBLEM: _single(_PLATE, 1.5),
    Shape.BRACES: _braces,
    Shape.YOKE: _yoke,
    Shape.EPAULETTES: _epaulettes,
    Shape.BRAID: _braid,
    Shape.SEAMS: _seams,
    Shape.PANEL: _panel,
    Shape.COLLAR: _collar,
    Shape.WAISTBAND: _waistband,
    Shape.ARMBANDS: _armbands,
    Shape.CUFFS: _cuffs,
}
