"""The steps of fixed prices, as they were seen in captures: 1.04 to 401 dollars."""

from __future__ import annotations

from bisect import bisect_left


def _ladder() -> tuple[float, ...]:
    cents = [104, 107, 110, 112, 115, 118, 120, 122, 125, 128, 130, 135]
    cents += list(range(140, 250, 5)) + list(range(250, 400, 10))
    cents += [400, 420, 440, 450, 460, 480, *range(500, 1000, 50), *range(1000, 2200, 100)]
    cents += [2300, 2600, 2700, 3100, 3500, 4100, 4600, 5100, 6100, 6700, 7100, 8100, 9100]
    cents += [10100, 12600, 15100, 20100, 30100, 40100]
    return tuple(cent / 100 for cent in cents)


LADDER = _ladder()


def nearest_step(price: float) -> float:
    """Return the fixed price of the ladder nearest to any price."""
    place = bisect_left(LADDER, price)
    if place == 0:
        return LADDER[0]
    if place == len(LADDER):
        return LADDER[-1]
    below, above = LADDER[place - 1], LADDER[place]
    return below if price - below <= above - price else above
