"""Pool totals out of what the runners' rows say together, for whoever writes runners and not their race's pools."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from raceday.domain.money_flow import Estimator

if TYPE_CHECKING:
    from raceday.domain.entrant_update import EntrantUpdate
    from raceday.domain.pools import PoolTotals

LEAST_SHARE_PCT = 1.0
"""Shares that are less than this together say nothing about a pool: half a cent of rounding becomes half a dollar."""
LARGEST_POOL_CENTS = 10**12
"""Ten billion dollars: a row that claims more was written by mistake."""


@dataclass(frozen=True, slots=True)
class StoredPools:
    """The pools of a race as they are stored; `has_data` is False for the zeros of a race just imported."""

    totals: PoolTotals
    updated_at: datetime | None
    has_data: bool


@dataclass(frozen=True, slots=True)
class PoolStanding:
    """What is stored when a race's pools are looked at; `polls` are those of our own polls that wrote a runner."""

    pools: StoredPools
    runners: tuple[EntrantUpdate, ...]
    polls: frozenset[datetime]


def pools_due(standing: PoolStanding, estimator: Estimator) -> StoredPools | None:
    """Return the pools as the runners say they are, or None when what is stored needs no change.

    Our own polls bring exact totals. So there is something to do only when a runner was written by somebody else,
    not earlier than the totals. The answer depends on nothing but what is stored: not on the order of events.
    Pools other than win and place, of which runners say nothing, stay as they are.
    """
    pools = standing.pools
    news = [
        runner.written_at
        for runner in standing.runners
        if runner.written_at not in standing.polls and _is_news(runner.written_at, pools)
    ]
    live = [runner for runner in standing.runners if not runner.scratched]
    win = pool_cents((runner.win_cents, _share_pct(runner, estimator)) for runner in live)
    place = pool_cents((runner.place_cents, _share_pct(runner, estimator)) for runner in live)
    if not news or (win is None and place is None):
        return None
    totals = replace(
        pools.totals,
        win_cents=win if win is not None else pools.totals.win_cents,
        place_cents=place if place is not None else pools.totals.place_cents,
    )
    due = StoredPools(totals, max(news), has_data=True)
    return due if due != pools else None


def pool_cents(runners: Iterable[tuple[int | None, float | None]]) -> int | None:
    """Return the pool that runners' amounts (cents) and shares (percent) belong to; None when no amount is known.

    Σ amounts ÷ Σ shares × 100 over the runners that have both: the inverse of `share_of_pool_cents`. Each amount is
    rounded to a cent, so that n runners give the pool to n/2 cents ÷ (Σ shares ÷ 100), half a cent more for rounding
    the pool itself. Whole-percent holds need not sum to 100 (93 and 104 in the feed captures of August 2025), which is
    why amounts are not simply added up. Without shares they are. What no pool can hold is not known.
    """
    known = [(amount, share_pct) for amount, share_pct in runners if amount is not None]
    if not known:
        return None
    shared = [(amount, share_pct) for amount, share_pct in known if share_pct is not None]
    shares_pct = sum(share_pct for _, share_pct in shared)
    if shares_pct < LEAST_SHARE_PCT:
        pool = sum(amount for amount, _ in known)
    else:
        pool = math.floor(sum(amount for amount, _ in shared) * 100 / shares_pct + 0.5)
    return pool if pool <= LARGEST_POOL_CENTS else None


def _is_news(written_at: datetime, pools: StoredPools) -> bool:
    return not pools.has_data or pools.updated_at is None or written_at >= pools.updated_at


def _share_pct(runner: EntrantUpdate, estimator: Estimator) -> float | None:
    if estimator is Estimator.TOTE_IMPLIED:
        return runner.implied_pct
    return runner.hold.hold_pct if runner.hold is not None else None
