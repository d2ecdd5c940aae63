"""What the event functions read and write: stored buckets, pools and runners, as the domain sees them."""

from __future__ import annotations

from collections.abc import Iterable

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import FlowRace, KeptBucket
from raceday.domain.money_flow import Estimator, MoneyFlowBucket
from raceday.domain.odds import Odds
from raceday.domain.pools_update import StoredPools
from raceday.domain.status import RaceStatus
from raceday.errors import InvalidRequest
from raceday.store.rows.history import flow_columns
from raceday.store.rows.programme import stored_status
from raceday.store.rows.states import pool_totals_of
from raceday.store.rows.updates import ODDS_COLUMNS, entrant_update
from raceday.store.rows.values import Row, StoredRow, parse_instant, parse_optional_instant

KEPT_COLUMNS = (
    "raceId",
    "entrantId",
    "timeInterval",
    "timeToStart",
    "eventTimestamp",
    "pollingTimestamp",
    "holdPercentage",
    "betPercentage",
    "impliedPercentage",
    "winPoolAmount",
    "placePoolAmount",
    "totalPoolAmount",
    "incrementalWinAmount",
    "incrementalPlaceAmount",
    "previousInterval",
    "isBaseline",
    "dataQualityScore",
    "estimator",
    "afterScratching",
    *ODDS_COLUMNS,
)
FLOW_RACE_COLUMNS = ("startTime", "status", "abandonedAt")
RUNNER_COLUMNS = (
    "$id",
    "$updatedAt",
    "raceId",
    "name",
    "runnerNumber",
    "lastUpdated",
    "isScratched",
    "scratchTime",
    "holdPercentage",
    "betPercentage",
    "impliedPercentage",
    "winPoolAmount",
    "placePoolAmount",
    *ODDS_COLUMNS,
)


def kept_bucket(row: StoredRow) -> KeptBucket:
    """Return a stored bucket, from a row of `money-flow-history` with `KEPT_COLUMNS`."""
    at = parse_instant(row["eventTimestamp"])
    flow = MoneyFlowBucket(
        race_id=row["raceId"],
        entrant_id=row["entrantId"],
        bucket=row["timeInterval"],
        minutes_to_start=row["timeToStart"],
        at=at,
        hold_pct=row["holdPercentage"],
        bet_pct=row["betPercentage"],
        implied_pct=row["impliedPercentage"],
        estimator=Estimator(row["estimator"] or Estimator.HOLD),
        win_cents=row["winPoolAmount"],
        place_cents=row["placePoolAmount"],
        total_cents=row["totalPoolAmount"],
        win_increment_cents=row["incrementalWinAmount"],
        place_increment_cents=row["incrementalPlaceAmount"],
        previous_bucket=row["previousInterval"],
        baseline=bool(row["isBaseline"]),
        odds=Odds(*(row[name] for name in ODDS_COLUMNS)),
        after_scratching=bool(row["afterScratching"]),
    )
    seen_at = parse_optional_instant(row["pollingTimestamp"]) or at
    return KeptBucket(flow, seen_at, measured=row["dataQualityScore"] is not None)


def update_bucket_row(flow: MoneyFlowBucket) -> Row:
    """Return a bucket made of a runner's update as a row of `money-flow-history`.

    Nobody measured it: what only polls know is empty. There is a pool where there is an amount, or a share of nothing.
    """
    share_pct = flow.hold_pct if flow.estimator is Estimator.HOLD else flow.implied_pct
    row = flow_columns(
        flow,
        flow.at,
        win_pool=flow.win_cents is not None and (flow.win_cents > 0 or share_pct == 0),
        place_pool=flow.place_cents is not None and (flow.place_cents > 0 or share_pct == 0),
    )
    unmeasured = ("dataQualityScore", "pollingLatencyMs", "mathematicallyConsistent", "isStale", "afterScratching")
    return row | dict.fromkeys(unmeasured)


def flow_race(row: StoredRow) -> FlowRace:
    """Return what the buckets of a race depend on, from a row of `races` with `FLOW_RACE_COLUMNS`."""
    return FlowRace(
        advertised_start=parse_instant(row["startTime"]),
        abandoned=stored_status(row["status"]) is RaceStatus.ABANDONED,
        abandoned_at=parse_optional_instant(row["abandonedAt"]),
    )


def stored_pools(row: StoredRow) -> StoredPools:
    """Return the pools of a race, from a row of `race-pools`."""
    return StoredPools(pool_totals_of(row), parse_optional_instant(row["lastUpdated"]), bool(row["hasData"]))


def stored_runners(rows: Iterable[StoredRow]) -> list[EntrantUpdate]:
    """Return what rows of `entrants` with `RUNNER_COLUMNS` say; one that does not say when it was written is left out.

    Whoever wrote such a row past the platform left nothing that could be put into a bucket.
    """
    updates = []
    for row in rows:
        try:
            updates.append(entrant_update({**row, "isScratched": bool(row["isScratched"])}))
        except InvalidRequest:
            continue
    return updates
