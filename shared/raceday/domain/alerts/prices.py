"""A runner's win price over time, as alerts look at it.

The price is the fixed win price. As long as there was none, the tote's stands in; the two are different markets and
never compared with one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from raceday.domain.alerts.changes import Change, Observed, shortened, window_pairs
from raceday.domain.odds import OddsKind, OddsTick

PriceRun = Sequence[Observed]
"""Prices of one market, oldest first."""


def price_runs(ticks: Iterable[OddsTick]) -> list[PriceRun]:
    """Return the runs of comparable win prices: the tote's before the first fixed price, then the fixed ones.

    Points of the feed's own history have no bucket: they are earlier values and cross nothing themselves.
    """
    ordered = sorted((tick for tick in ticks if tick.odds > 0), key=lambda tick: tick.at)
    fixed = [_observed(tick) for tick in ordered if tick.kind is OddsKind.FIXED_WIN]
    tote = [_observed(tick) for tick in ordered if tick.kind is OddsKind.POOL_WIN]
    if fixed:
        tote = [price for price in tote if price.at < fixed[0].at]
    return [run for run in (tote, fixed) if run]


def _observed(tick: OddsTick) -> Observed:
    return Observed(tick.at, tick.bucket, tick.odds)


def price_changes(runs: Iterable[PriceRun], window_s: int | None) -> list[Change]:
    """Return how each price seen by a poll changed, oldest first.

    Against the start of a time window, or with None against the last price before its time bucket began.
    """
    changes: list[Change] = []
    for run in runs:
        pairs = _bucket_pairs(run) if window_s is None else window_pairs(run, window_s)
        found = (shortened(before, now) for before, now in pairs if now.bucket is not None)
        changes.extend(change for change in found if change is not None)
    return changes


def _bucket_pairs(run: PriceRun) -> Iterator[tuple[Observed, Observed]]:
    """Yield each price with the last one of another bucket before it."""
    before: Observed | None = None
    last: Observed | None = None
    for price in run:
        if last is not None and last.bucket != price.bucket:
            before = last
        if before is not None:
            yield before, price
        last = price
