"""A price that no poll saw: written into the runner's row by somebody else, an older poller or a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from raceday.domain.alerts.changes import Change, Observed, shortened, window_pairs
from raceday.domain.alerts.money import BucketMoney
from raceday.domain.alerts.moves import win_price
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import OddsKind, OddsTick

SAME_PRICE = 0.01
"""Prices nearer than this part of one another are the same: a price that crawls by less than a cent makes no tick."""
POLL_SKEW = timedelta(minutes=1)
"""A row's time is the poll's, a tick's is the feed's; they differ by less than this."""


def written_price(
    update: EntrantUpdate, ticks: Sequence[OddsTick], buckets: Iterable[BucketMoney]
) -> list[Observed] | None:
    """Return a price that somebody else wrote, preceded by the prices known before it; None when a poll saw it.

    Where there are no ticks, the prices of the runner's money-flow buckets are what is known.
    """
    kind = OddsKind.FIXED_WIN if update.odds.fixed_win else OddsKind.POOL_WIN
    price = win_price(update.odds)
    if price is None:
        return None
    seen = sorted((tick for tick in ticks if tick.kind is kind), key=lambda tick: tick.at)
    if any(abs(tick.odds - price) <= SAME_PRICE * price for tick in _in_force(seen, update.written_at)):
        return None
    known = [Observed(tick.at, tick.bucket, tick.odds) for tick in seen]
    mine = [row for row in buckets if row.entrant_id == update.entrant_id]
    known += [Observed(row.at, row.bucket, getattr(row, kind.value)) for row in mine]
    before = sorted(observed for observed in known if observed.at < update.written_at and observed.value)
    return [*before, Observed(update.written_at, None, price)]


def written_change(prices: Sequence[Observed], window_s: int | None) -> Change | None:
    """Return how a written price, the last of `prices`, changed: within a window, or with None since the one before."""
    if len(prices) < 2:
        return None
    if window_s is None:
        return shortened(prices[-2], prices[-1])
    *_, (before, now) = window_pairs(prices, window_s)
    return shortened(before, now)


def _in_force(seen: Sequence[OddsTick], at: datetime) -> Sequence[OddsTick]:
    """Return the prices that held at some moment around `at`."""
    earlier = [tick for tick in seen if tick.at <= at - POLL_SKEW]
    around = [tick for tick in seen if at - POLL_SKEW < tick.at <= at + POLL_SKEW]
    return [*earlier[-1:], *around]
