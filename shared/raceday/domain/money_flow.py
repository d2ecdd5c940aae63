"""Money flow: where a race's money went, per runner and time bucket.

The feed gives no amount per runner. It gives pool totals and, per runner, a share of the hold; amounts are
derived. Formulae and buckets are those of the original RaceDay dashboard, so that a client written for it reads
the same columns; its defects are corrected: one row per (runner, bucket), the last poll of a bucket wins, and
increments are taken against the latest value of the nearest older bucket, so that the increments of a runner's
buckets always sum to its last amount.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from raceday.domain.odds import Odds

_BUCKET_FLOORS = (60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 4, 3, 2, 1, 0)
BASELINE_BUCKET = 55
"""A runner first seen in this bucket or an older one starts from its whole amount; later, from nothing known."""


class Estimator(StrEnum):
    """How a runner's share of the money is found."""

    HOLD = "hold"
    """The feed's money tracker: whole percents over all bet types."""
    TOTE_IMPLIED = "tote-implied"
    """(1/oᵢ) / Σ(1/oⱼ) over live tote win odds: finer, and about the win pool alone."""


@dataclass(frozen=True, slots=True)
class HoldShare:
    """A runner's share of all bets on the race, in percent: of money held, and of the number of bets."""

    hold_pct: float
    bet_pct: float


def minutes_to_start(advertised_start: datetime, at: datetime) -> int:
    """Return the whole minutes to the start, halves rounded up (−0.5 becomes 0), negative afterwards."""
    return math.floor((advertised_start - at).total_seconds() / 60 + 0.5)


def bucket_of(minutes: int) -> int:
    """Return the time bucket of a whole number of minutes to the start.

    60 for 60 and more, then 55, 50 … 5, 4, 3, 2, 1, 0, and one bucket a minute after the start (−1, −2 …).
    """
    if minutes < 0:
        return minutes
    return next(floor for floor in _BUCKET_FLOORS if floor <= minutes)


def interval_type(minutes: int) -> str:
    """Return the label of the polling interval that the client draws a bucket with."""
    if minutes > 30:
        return "5m"
    if minutes > 5:
        return "2m"
    return "30s" if minutes > 0 else "live"


def implied_shares_pct(odds_by_entrant: Mapping[str, Odds]) -> dict[str, float]:
    """Return each runner's share of the win pool in percent, implied by live tote win odds.

    A tote dividend is oᵢ ≈ (1 − takeout)·W/xᵢ, hence xᵢ/W = (1/oᵢ) / Σ(1/oⱼ). Runners without a tote price
    have no share; an empty answer when none has a price.
    """
    inverse = {entrant_id: 1 / odds.pool_win for entrant_id, odds in odds_by_entrant.items() if odds.pool_win}
    total = sum(inverse.values())
    return {entrant_id: 100 * value / total for entrant_id, value in inverse.items()}


def share_of_pool_cents(pool_cents: int, share_pct: float) -> int:
    """Return a runner's part of a pool: pool × share ÷ 100, in whole cents, halves rounded up."""
    return math.floor(pool_cents * share_pct / 100 + 0.5)


class BucketAmounts(NamedTuple):
    """What a stored bucket of one runner holds: amounts in cents, None when they were not known.

    A tuple, because hundreds are made for every poll.
    """

    bucket: int
    win_cents: int | None
    place_cents: int | None


@dataclass(frozen=True, slots=True)
class MoneyFlowBucket:
    """One runner's money in one time bucket. Amounts and increments in cents, shares in percent.

    Increments are None when the amount is not known, negative when the runner's share fell by more than the
    pool grew. `previous_bucket` is the bucket that the increments were taken against, None for the first one;
    `baseline` marks a first bucket whose increment is its whole amount. `after_scratching` warns that a
    scratching since the last bucket moved every share.
    """

    race_id: str
    entrant_id: str
    bucket: int
    minutes_to_start: int
    at: datetime
    hold_pct: float | None
    bet_pct: float | None
    implied_pct: float | None
    estimator: Estimator
    win_cents: int | None
    place_cents: int | None
    total_cents: int | None
    win_increment_cents: int | None
    place_increment_cents: int | None
    previous_bucket: int | None
    baseline: bool
    odds: Odds
    after_scratching: bool = False

    @property
    def interval_type(self) -> str:
        """The label of the polling interval."""
        return interval_type(self.minutes_to_start)

    @property
    def amounts(self) -> BucketAmounts:
        """What later buckets are compared with."""
        return BucketAmounts(self.bucket, self.win_cents, self.place_cents)

    @property
    def increments(self) -> Increments:
        """What came in since the bucket before."""
        return Increments(self.win_increment_cents, self.place_increment_cents, self.previous_bucket, self.baseline)


class Increments(NamedTuple):
    """What came in during a bucket, in cents, and the bucket it is counted from; see `MoneyFlowBucket`."""

    win_cents: int | None
    place_cents: int | None
    previous_bucket: int | None
    baseline: bool


@dataclass(frozen=True, slots=True)
class IncrementRepair:
    """New increments for a bucket already stored: an older bucket was written again, after a start that was put
    back, or came late.
    """

    race_id: str
    entrant_id: str
    bucket: int
    win_increment_cents: int | None
    place_increment_cents: int | None
    previous_bucket: int | None
    baseline: bool = False


def increment_cents(amount: int | None, previous: int | None, *, has_previous: bool, bucket: int) -> int | None:
    """Return what came in since the nearest older bucket.

    Without an older bucket: the whole amount from `BASELINE_BUCKET` on (nothing can have been missed), else 0.
    """
    if amount is None:
        return None
    if not has_previous:
        return amount if bucket >= BASELINE_BUCKET else 0
    return amount - (previous or 0)


def increments(amounts: BucketAmounts, stored: Iterable[BucketAmounts]) -> Increments:
    """Return the increments of a bucket; `stored` holds the runner's buckets, this one among them or not."""
    bucket, win, place = amounts
    older = nearest_older(stored, bucket)
    previous = older if older is not None else BucketAmounts(bucket, None, None)
    return Increments(
        increment_cents(win, previous.win_cents, has_previous=older is not None, bucket=bucket),
        increment_cents(place, previous.place_cents, has_previous=older is not None, bucket=bucket),
        older.bucket if older is not None else None,
        baseline=older is None and win is not None and bucket >= BASELINE_BUCKET,
    )


def nearest_older(stored: Iterable[BucketAmounts], bucket: int) -> BucketAmounts | None:
    """Return the stored bucket next before `bucket` in time (the smallest larger one) with known amounts."""
    older = [amounts for amounts in stored if amounts.bucket > bucket and amounts.win_cents is not None]
    return min(older, key=lambda amounts: amounts.bucket, default=None)


def next_newer(stored: Iterable[BucketAmounts], bucket: int) -> BucketAmounts | None:
    """Return the stored bucket next after `bucket` in time (the largest smaller one) with known amounts."""
    newer = [amounts for amounts in stored if amounts.bucket < bucket and amounts.win_cents is not None]
    return max(newer, key=lambda amounts: amounts.bucket, default=None)


def repair_increments(
    race_id: str, entrant_id: str, written: BucketAmounts, newer: BucketAmounts | None
) -> IncrementRepair | None:
    """Return the increments of the bucket after `written`, now that `written` has new amounts.

    Needed when a start is put back: the clock runs through buckets that were filled already.
    """
    if newer is None or written.win_cents is None:
        return None
    return IncrementRepair(race_id, entrant_id, newer.bucket, *increments(newer, [written]))
