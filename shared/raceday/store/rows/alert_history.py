"""A race's past as alerts read it: the win prices of its runners and the money of its buckets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from raceday.domain.alerts.money import BucketMoney
from raceday.domain.odds import OddsKind, OddsTick
from raceday.store.rows.values import parse_instant

TOUCHED_STARTS = timedelta(days=2)
"""Runners written by others count for races that started within so long before what is asked about."""
WIN_KINDS = (OddsKind.FIXED_WIN.value, OddsKind.POOL_WIN.value)
TICK_COLUMNS = ("entrantId", "type", "odds", "eventTimestamp", "timeInterval")
MONEY_COLUMNS = (
    "entrantId",
    "timeInterval",
    "eventTimestamp",
    "incrementalWinAmount",
    "fixedWinOdds",
    "poolWinOdds",
)
_KINDS = {kind.value: kind for kind in OddsKind}


def ticks_by_runner(race_id: str, rows: Iterable[Sequence[Any]]) -> dict[str, list[OddsTick]]:
    """Return the prices of each runner, from the `TICK_COLUMNS` of rows that come oldest first."""
    ticks: dict[str, list[OddsTick]] = defaultdict(list)
    for entrant_id, kind, odds, at, bucket in rows:
        tick = OddsTick(race_id, entrant_id, _KINDS[kind], odds, parse_instant(at), bucket=bucket)
        ticks[entrant_id].append(tick)
    return dict(ticks)


def bucket_money(rows: Iterable[Sequence[Any]]) -> list[BucketMoney]:
    """Return the money of buckets, from the `MONEY_COLUMNS` of their rows."""
    return [
        BucketMoney(entrant_id, bucket, parse_instant(at), cents, fixed, tote)
        for entrant_id, bucket, at, cents, fixed, tote in rows
    ]
