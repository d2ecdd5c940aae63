"""Time series as rows: odds ticks, money-flow buckets and pool totals."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from raceday.domain.cadence import SOURCE_REFRESH_S
from raceday.domain.ids import derived_id
from raceday.domain.money_flow import Estimator, IncrementRepair, MoneyFlowBucket
from raceday.domain.odds import OddsTick
from raceday.domain.pools import PoolTotals
from raceday.domain.race_poll import RacePoll
from raceday.store.rows.entrants import odds_columns
from raceday.store.rows.values import Row, instant_text, json_text
from raceday.store.tables import RACE_POOLS

TICK_WINDOW_S = SOURCE_REFRESH_S
"""The source refreshes every 15 s: two polled prices of one kind within one such window are the same tick."""

BUCKET_TYPE = "bucketed_aggregation"
"""The row type that the client's timeline asks for."""


def odds_tick_id(tick: OddsTick) -> str:
    """Return the row id of a tick: one per runner, kind and 15 s window.

    A point of the feed's own history has an id of its own moment and price: it happened, however soon another
    followed (7 % of the captured points had another within 15 s, some within the same second).
    An id begins with the window, so that new ticks are neighbours in the index of ids: with ids all over it, every
    tick would dirty a page of its own.
    """
    window = int(tick.at.timestamp() // TICK_WINDOW_S)
    begin = f"{window & 0xFFFFFFFF:08x}"
    which = f"{tick.at.isoformat()} {tick.odds}" if tick.from_history else window
    return begin + derived_id("odds", tick.race_id, tick.entrant_id, tick.kind.value, which)[len(begin) :]


def odds_tick_row(tick: OddsTick) -> Row:
    """Return a price as a row of `odds-history`."""
    return {
        "$id": odds_tick_id(tick),
        "odds": tick.odds,
        "eventTimestamp": instant_text(tick.at),
        "type": tick.kind.value,
        "raceId": tick.race_id,
        "entrantId": tick.entrant_id,
        "isOpening": tick.opening,
        "timeInterval": tick.bucket,
    }


def bucket_id(race_id: str, entrant_id: str, bucket: int) -> str:
    """Return the row id of a runner's bucket: one row however often the bucket is polled."""
    return derived_id("flow", race_id, entrant_id, bucket)


def bucket_row(bucket: MoneyFlowBucket, poll: RacePoll) -> Row:
    """Return a runner's bucket as a row of `money-flow-history`; the last poll of the bucket wins."""
    pools = poll.pools or PoolTotals()
    row = flow_columns(bucket, poll.timing.polled_at, win_pool=pools.win_cents != 0, place_pool=pools.place_cents != 0)
    return row | {
        "dataQualityScore": poll.quality.score,
        "pollingLatencyMs": poll.timing.latency_ms,
        "mathematicallyConsistent": poll.consistent,
        "isStale": poll.stale,
    }


def flow_columns(bucket: MoneyFlowBucket, seen_at: datetime, *, win_pool: bool, place_pool: bool) -> Row:
    """Return what a bucket says of a runner's money, seen by its writer at `seen_at`.

    `win_pool` and `place_pool` tell whether there is money in the pool, so that the runner can have a share of it.
    """
    row_id = bucket_id(bucket.race_id, bucket.entrant_id, bucket.bucket)
    share_pct = bucket.hold_pct if bucket.estimator is Estimator.HOLD else bucket.implied_pct
    row: Row = {
        "$id": row_id,
        "raceId": bucket.race_id,
        "entrantId": bucket.entrant_id,
        "type": BUCKET_TYPE,
        "eventTimestamp": instant_text(bucket.at),
        "pollingTimestamp": instant_text(seen_at),
        "holdPercentage": bucket.hold_pct,
        "betPercentage": bucket.bet_pct,
        "timeToStart": bucket.minutes_to_start,
        "timeInterval": bucket.bucket,
        "intervalType": bucket.interval_type,
        "poolType": "combined",
        "winPoolAmount": bucket.win_cents,
        "placePoolAmount": bucket.place_cents,
        "totalPoolAmount": bucket.total_cents,
        "winPoolPercentage": share_pct if win_pool else None,
        "placePoolPercentage": share_pct if place_pool else None,
        "bucketDocumentId": row_id,
        "impliedPercentage": bucket.implied_pct,
        "isBaseline": bucket.baseline,
        "estimator": bucket.estimator.value,
        "afterScratching": bucket.after_scratching,
    }
    row |= odds_columns(bucket.odds)
    row |= _increments(bucket.win_increment_cents, bucket.place_increment_cents, bucket.previous_bucket)
    return row


def repair_row(repair: IncrementRepair) -> Row:
    """Return new increments for a stored bucket."""
    row: Row = {"$id": bucket_id(repair.race_id, repair.entrant_id, repair.bucket), "isBaseline": repair.baseline}
    return row | _increments(repair.win_increment_cents, repair.place_increment_cents, repair.previous_bucket)


def _increments(win: int | None, place: int | None, previous: int | None) -> Row:
    known = [amount for amount in (win, place) if amount is not None]
    return {
        "incrementalAmount": sum(known) if known else None,
        "incrementalWinAmount": win,
        "incrementalPlaceAmount": place,
        "previousInterval": previous,
    }


def pools_row(race_id: str, pools: PoolTotals, at: datetime) -> Row:
    """Return a race's pools as a row of `race-pools`; the total is the race's own products alone."""
    return {
        "$id": race_id,
        "raceId": race_id,
        "winPoolTotal": pools.win_cents,
        "placePoolTotal": pools.place_cents,
        "quinellaPoolTotal": pools.quinella_cents,
        "trifectaPoolTotal": pools.trifecta_cents,
        "exactaPoolTotal": pools.exacta_cents,
        "first4PoolTotal": pools.first4_cents,
        "totalRacePool": pools.race_total_cents,
        "currency": "$",
        "lastUpdated": instant_text(at),
        "multiLegPoolTotal": pools.multi_leg_cents,
        "multiLegPools": json_text([asdict(pool) for pool in pools.multi_leg], _POOL_LIST_SIZE),
        "unknownPools": json_text([asdict(pool) for pool in pools.unknown], _POOL_LIST_SIZE),
        "hasData": True,
    }


def empty_pools_row(race_id: str, at: datetime) -> Row:
    """Return the row of zeros that a race has before its first poll: the client invents totals without one."""
    return pools_row(race_id, PoolTotals(), at) | {"hasData": False}


_POOL_LIST_SIZE = RACE_POOLS.column("multiLegPools").size
