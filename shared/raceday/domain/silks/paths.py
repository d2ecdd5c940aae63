"""Path data of plain outlines on a 32-pixel drawing; the figures of silks are made of them."""

from __future__ import annotations

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a part of the silks lies in the drawing, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        """The point in the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def right(self) -> float:
        """Where it ends on the right."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where it ends below."""
        return self.y + self.height

    @property
    def scale(self) -> float:
        """How large a single figure may be in it: 1 on the jacket, 2/3 on sleeves and cap."""
        return 1 if self.width > 10 else 2 / 3


def rectangle(x: float, y: float, width: float, height: float) -> str:
    """Return a rectangle."""
    return f"M{_number(x)} {_number(y)}h{_number(width)}v{_number(height)}h{_number(-width)}z"


def polygon(points: Points) -> str:
    """Return a polygon."""
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points) + "z"


def disc(x: float, y: float, radius: float) -> str:
    """Return a circle around a point."""
    half = f"a{_number(radius)} {_number(radius)} 0 1 0"
    return f"M{_number(x - radius)} {_number(y)}{half} {_number(2 * radius)} 0{half} {_number(-2 * radius)} 0z"


def around(outline: Points, x: float, y: float, scale: float = 1) -> str:
    """Return an outline that is given around its middle, put at a point."""
    return polygon(tuple((x + scale * across, y + scale * down) for across, down in outline))


def steps(start: float, end: float, step: float) -> list[float]:
    """Return the places from a start up to an end, a step apart."""
    count = int((end - start) // step) + 1
    return [start + step * number for number in range(count) if start + step * number < end]


def lattice(box: Box, across: float, down: float) -> list[tuple[float, float]]:
    """Return the points of a staggered lattice over a box."""
    return [
        (x, y)
        for row, y in enumerate(steps(box.y + down / 2, box.bottom, down))
        for x in steps(box.x + (across * 0.75 if row % 2 else across * 0.25), box.right, across)
    ]


def _number(value: float) -> str:
    """Write a length, to half a pixel: that is what stays sharp."""
    return f"{round(value * 2) / 2:g}"
