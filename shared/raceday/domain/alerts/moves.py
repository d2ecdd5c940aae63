"""Which runners moved far enough to raise an event for alerts.

An event costs an execution for each function that listens, so a poll writes silently, and raises one event for its
race when at least one runner moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.domain.money_shares import last_two_columns, share_changes_pp
from raceday.domain.odds import Odds, shortening_pct

if TYPE_CHECKING:
    from raceday.domain.entrant import Entrant
    from raceday.domain.race_poll import KnownEntrant


@dataclass(frozen=True, slots=True)
class AlertMoves:
    """The runners whose moves raise an event, and the win prices from which the next moves are counted, by runner."""

    moved: frozenset[str] = frozenset()
    references: Mapping[str, float] = field(default_factory=dict)


def win_price(odds: Odds | None) -> float | None:
    """Return the price that alerts look at: fixed win, or the tote's where no fixed price is offered."""
    return None if odds is None else odds.fixed_win or odds.pool_win


def alert_moves(
    entrants: Iterable[Entrant], known: Mapping[str, KnownEntrant], smallest_pct: float, *, opens_bucket: bool
) -> AlertMoves:
    """Return the runners whose win price moved by `smallest_pct` percent since their last event, who were scratched,
    or whose share of the money rose by as many percentage points over the last two buckets.

    Moves are counted from the price at the last event, not from the last poll: a price that crawls is not missed.
    Money is looked at when a bucket is complete, that is with the first poll of the next (`opens_bucket`).
    """
    moved: set[str] = set()
    references: dict[str, float] = {}
    for entrant in entrants:
        held = known.get(entrant.entrant_id)
        price = win_price(entrant.odds)
        reference = held.alert_odds if held is not None else None
        if price is not None and (reference is None or abs(shortening_pct(reference, price)) >= smallest_pct):
            references[entrant.entrant_id] = price
            if reference is not None:
                moved.add(entrant.entrant_id)
        if held is not None and entrant.is_scratched and not held.scratched:
            moved.add(entrant.entrant_id)
    if opens_bucket:
        moved |= _share_risers(known, smallest_pct)
    return AlertMoves(frozenset(moved), references)


def _share_risers(known: Mapping[str, KnownEntrant], smallest_pp: float) -> set[str]:
    live = {entrant_id: held.buckets for entrant_id, held in known.items() if not held.scratched}
    changes = share_changes_pp(*last_two_columns(live))
    return {entrant_id for entrant_id, change in changes.items() if change >= smallest_pp}
