"""Odds and the ticks that record how they moved. Dollars for one dollar staked; None is no price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SMALLEST_MOVE = 0.01
"""Odds that moved by less than this did not move."""


class OddsKind(StrEnum):
    """The four prices that the feed gives for a runner."""

    FIXED_WIN = "fixed_win"
    FIXED_PLACE = "fixed_place"
    POOL_WIN = "pool_win"
    POOL_PLACE = "pool_place"


TOTE_KINDS = frozenset({OddsKind.POOL_WIN, OddsKind.POOL_PLACE})


@dataclass(frozen=True, slots=True)
class Odds:
    """The prices of one runner at one time; the attribute names are the values of `OddsKind`."""

    fixed_win: float | None = None
    fixed_place: float | None = None
    pool_win: float | None = None
    pool_place: float | None = None


def price(quoted: float | None) -> float | None:
    """Return a usable price: less than a cent is no price (the feed writes 0 for none)."""
    return quoted if quoted is not None and quoted >= SMALLEST_MOVE else None


@dataclass(frozen=True, slots=True)
class OddsTick:
    """A price of one runner that is new: first seen, or moved by at least `SMALLEST_MOVE`.

    `from_history` marks a point of the feed's own price history: `at` is then the very moment of the move.
    `bucket` is the time bucket it was seen in, None for a point of that history.
    """

    race_id: str
    entrant_id: str
    kind: OddsKind
    odds: float
    at: datetime
    opening: bool = False
    from_history: bool = False
    bucket: int | None = None


def moved_prices(before: Odds | None, after: Odds) -> Iterator[tuple[OddsKind, float]]:
    """Yield the kinds whose price appeared or moved, with the new price.

    A price that vanished yields nothing: no price is not a price.
    """
    for kind in OddsKind:
        new = getattr(after, kind.value)
        if new is None:
            continue
        old = getattr(before, kind.value) if before is not None else None
        if old is None or abs(new - old) >= SMALLEST_MOVE - 1e-9:
            yield kind, new


def shortening_pct(before: float, after: float) -> float:
    """Return by how many percent a price shortened, (before − after) ÷ before × 100; negative when it drifted."""
    return (before - after) / before * 100.0
