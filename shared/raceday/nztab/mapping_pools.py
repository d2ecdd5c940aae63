"""Money of the feed as pools and holds of the domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from raceday.domain.money_flow import HoldShare
from raceday.domain.pools import PoolStatus, PoolTotals, TotePool, cents, pool_totals
from raceday.nztab.drift import DriftCounter
from raceday.nztab.schema_event import FeedMoneyTracker, FeedPool

_POOL_STATUSES = frozenset(PoolStatus)


def pools_of(pools: Iterable[FeedPool], drift: DriftCounter) -> tuple[PoolTotals | None, int]:
    """Return a race's pools in cents (None when there are none at all) and how many rows were repeats.

    A pool without a total is as good as not listed: it is counted as drift, and no pool of nothing.
    """
    listed = list(pools)
    tote_pools = [_tote_pool(pool, pool.total) for pool in listed if pool.total is not None]
    if len(tote_pools) < len(listed):
        drift.count("pool.total missing", len(listed) - len(tote_pools))
    for pool in tote_pools:
        drift.unknown_value("pool.status", pool.status, _POOL_STATUSES)
    if not tote_pools:
        return None, 0
    totals = pool_totals(tote_pools)
    for unknown in totals.unknown:
        drift.unknown_value("pool.product", unknown.product, ())
    return totals, len(tote_pools) - len({pool.product for pool in tote_pools})


def _tote_pool(pool: FeedPool, total: float) -> TotePool:
    return TotePool(
        product=pool.product_type,
        total_cents=cents(total),
        status=pool.status or "",
        jackpot_cents=cents(pool.jackpot or 0),
        guarantee_cents=cents(pool.guarantee or 0),
    )


@dataclass(frozen=True, slots=True)
class TrackedHolds:
    """The money tracker, summed: one share a runner, and how many ids belong to no runner of the race."""

    shares: Mapping[str, HoldShare] | None
    foreign_ids: int


def holds_of(tracker: FeedMoneyTracker | None, runner_ids: Collection[str]) -> TrackedHolds:
    """Return each runner's share of all bets, in percent.

    Each row is one (runner, bet type) cell of one distribution over the whole race, so a runner's share is the
    sum of its rows: over all rows of a race they sum to 100 give or take rounding (101 and 105 in captures of
    July and August 2025), while its first, last or largest row mean nothing.
    """
    rows = tracker.entrants if tracker is not None else None
    if not rows:
        return TrackedHolds(None, 0)
    holds: defaultdict[str, float] = defaultdict(float)
    bets: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        holds[row.entrant_id] += row.hold_percentage or 0
        bets[row.entrant_id] += row.bet_percentage or 0
    ours = set(runner_ids)
    shares = {id_: HoldShare(holds[id_], bets[id_]) for id_ in holds if id_ in ours}
    return TrackedHolds(shares, len(holds) - len(shares))
