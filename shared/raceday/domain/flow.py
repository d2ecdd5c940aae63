"""Money flow of one poll: every live runner's bucket, from pools, holds and odds, against what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from raceday.domain.money_flow import (
    BucketAmounts,
    Estimator,
    HoldShare,
    IncrementRepair,
    MoneyFlowBucket,
    bucket_of,
    implied_shares_pct,
    increments,
    minutes_to_start,
    next_newer,
    repair_increments,
    share_of_pool_cents,
)

if TYPE_CHECKING:
    from raceday.domain.odds import Odds
    from raceday.domain.pools import PoolTotals


@dataclass(frozen=True, slots=True)
class RaceMoney:
    """The money of a race at one time: what `money_flow` needs of a response. Odds of live runners only."""

    race_id: str
    advertised_start: datetime
    at: datetime
    odds: Mapping[str, Odds]
    holds: Mapping[str, HoldShare] | None
    pools: PoolTotals | None
    after_scratching: bool = False


@dataclass(frozen=True, slots=True)
class MoneyFlow:
    """The buckets to write, and the newer buckets whose increments they change."""

    buckets: tuple[MoneyFlowBucket, ...] = ()
    repairs: tuple[IncrementRepair, ...] = ()
    implied_pct: Mapping[str, float] = field(default_factory=dict)


def money_flow(
    money: RaceMoney, stored: Mapping[str, Sequence[BucketAmounts]], estimator: Estimator = Estimator.HOLD
) -> MoneyFlow:
    """Return the money flow of every live runner; `stored` holds each runner's buckets so far.

    A runner whose amounts are not known now keeps the amounts that its bucket already has.
    """
    implied = implied_shares_pct(money.odds)
    buckets: list[MoneyFlowBucket] = []
    repairs: list[IncrementRepair] = []
    for entrant_id, odds in money.odds.items():
        known = stored.get(entrant_id, ())
        written = _bucket(money, entrant_id, odds, implied.get(entrant_id), known, estimator)
        if written.win_cents is None and _has_amounts(known, written.bucket):
            continue
        buckets.append(written)
        repair = repair_increments(money.race_id, entrant_id, written.amounts, next_newer(known, written.bucket))
        if repair is not None:
            repairs.append(repair)
    return MoneyFlow(tuple(buckets), tuple(repairs), implied)


def _bucket(
    money: RaceMoney,
    entrant_id: str,
    odds: Odds,
    implied_pct: float | None,
    known: Sequence[BucketAmounts],
    estimator: Estimator,
) -> MoneyFlowBucket:
    minutes = minutes_to_start(money.advertised_start, money.at)
    bucket = bucket_of(minutes)
    hold = _hold_of(money.holds, entrant_id)
    hold_pct = hold.hold_pct if hold else None
    share_pct = hold_pct if estimator is Estimator.HOLD else implied_pct
    win, place = _amounts(money.pools, share_pct)
    counted = increments(BucketAmounts(bucket, win, place), known)
    return MoneyFlowBucket(
        race_id=money.race_id,
        entrant_id=entrant_id,
        bucket=bucket,
        minutes_to_start=minutes,
        at=money.at,
        hold_pct=hold_pct,
        bet_pct=hold.bet_pct if hold else None,
        implied_pct=implied_pct,
        estimator=estimator,
        win_cents=win,
        place_cents=place,
        total_cents=_win_and_place(money.pools),
        win_increment_cents=counted.win_cents,
        place_increment_cents=counted.place_cents,
        previous_bucket=counted.previous_bucket,
        baseline=counted.baseline,
        odds=odds,
        after_scratching=money.after_scratching,
    )


def _hold_of(holds: Mapping[str, HoldShare] | None, entrant_id: str) -> HoldShare | None:
    """Return a runner's share; a tracker that does not list the runner says that nothing was bet on it."""
    if not holds:
        return None
    return holds.get(entrant_id, HoldShare(0.0, 0.0))


def _amounts(pools: PoolTotals | None, share_pct: float | None) -> tuple[int | None, int | None]:
    if pools is None or share_pct is None:
        return None, None
    return share_of_pool_cents(pools.win_cents, share_pct), share_of_pool_cents(pools.place_cents, share_pct)


def _win_and_place(pools: PoolTotals | None) -> int | None:
    return None if pools is None else pools.win_cents + pools.place_cents


def _has_amounts(known: Sequence[BucketAmounts], bucket: int) -> bool:
    return any(amounts.bucket == bucket and amounts.win_cents is not None for amounts in known)
