"""A race's money as alerts look at it: columns of what came in during each time bucket, and runners' shares of them.

A column is looked at when it is complete, that is when a later one has begun. What alerts make of it then does not
depend on when they look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from raceday.domain.alerts.changes import Change, Observed, share_risen, window_pairs
from raceday.domain.cadence import SOURCE_REFRESH_S
from raceday.domain.money_shares import shares_pct


class BucketMoney(NamedTuple):
    """What a runner's bucket says to alerts: cents since the bucket before, and the win prices at its last poll."""

    entrant_id: str
    bucket: int
    at: datetime
    win_increment_cents: int | None
    fixed_win: float | None = None
    pool_win: float | None = None


@dataclass(frozen=True, slots=True)
class MoneyColumn:
    """One complete time bucket of a race. `shares` in percent by runner, empty when no money came in."""

    bucket: int
    at: datetime
    shares: Mapping[str, float]


def money_columns(buckets: Iterable[BucketMoney]) -> list[MoneyColumn]:
    """Return the complete columns of a race in the order of time.

    A runner whose row is 15 s or more (a refresh of the source) older than the newest of its column was withdrawn
    before the column ended, and has no part in it.
    """
    rows: dict[int, list[BucketMoney]] = defaultdict(list)
    for row in buckets:
        rows[row.bucket].append(row)
    columns = sorted((_column(bucket, held) for bucket, held in rows.items()), key=lambda column: column.at)
    # The last one still fills.
    return columns[:-1]


def _column(bucket: int, rows: Sequence[BucketMoney]) -> MoneyColumn:
    at = max(row.at for row in rows)
    oldest = at - timedelta(seconds=SOURCE_REFRESH_S)
    return MoneyColumn(
        bucket, at, shares_pct({row.entrant_id: row.win_increment_cents for row in rows if row.at > oldest})
    )


def money_changes(columns: Sequence[MoneyColumn], entrant_id: str, window_s: int | None) -> list[Change]:
    """Return how a runner's share of the money changed from column to column, oldest first.

    Against the column at the start of a time window, or with None against the one next before it. No change where
    either column saw no money, or the earlier one not this runner.
    """
    observed = [Observed(column.at, column.bucket, column.shares.get(entrant_id)) for column in columns]
    pairs = _neighbours(observed) if window_s is None else window_pairs(observed, window_s)
    changes = (share_risen(before, now) for before, now in pairs)
    return [change for change in changes if change is not None]


def _neighbours(observed: Sequence[Observed]) -> Iterator[tuple[Observed, Observed]]:
    """Yield each column with the one of the next older bucket.

    When a start was put back, buckets are filled again: a pair of which the older bucket was filled later compares
    two runs of the clock and is left out.
    """
    by_bucket = sorted(observed, key=lambda column: -(column.bucket or 0))
    pairs = [pair for pair in pairwise(by_bucket) if pair[0].at < pair[1].at]
    yield from sorted(pairs, key=lambda pair: pair[1].at)
