"""What money flow and pools are made from, read from the platform's tables.

Text is compared without regard to case there, so every row is looked at once more.
"""

from __future__ import annotations

from collections import defaultdict

from raceday.domain.flow_update import FlowRace, KeptBucket
from raceday.domain.pools_update import PoolStanding, StoredPools
from raceday.store.appwrite.own_polls import polls_at
from raceday.store.appwrite.queries import Query, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.flow import (
    FLOW_RACE_COLUMNS,
    KEPT_COLUMNS,
    RUNNER_COLUMNS,
    flow_race,
    kept_bucket,
    stored_pools,
    stored_runners,
)
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, RACE_POOLS, RACES

RaceBuckets = dict[str, tuple[KeptBucket, ...]]
"""Each runner's buckets."""


async def read_race(rows: AppwriteRows, race_id: str) -> FlowRace | None:
    """Return what the buckets of a race depend on, None for a race that is not stored: one call."""
    found = await rows.find(RACES, equal("$id", race_id), columns=FLOW_RACE_COLUMNS)
    return next((flow_race(row) for row in found if row["$id"] == race_id), None)


async def read_buckets(rows: AppwriteRows, race_id: str, *narrower: Query) -> RaceBuckets:
    """Return the buckets of a race, or those that further queries leave of them: one call for every 1,000."""
    found = await rows.find(
        MONEY_FLOW_HISTORY, equal("raceId", race_id), *narrower, equal("type", BUCKET_TYPE), columns=KEPT_COLUMNS
    )
    buckets: defaultdict[str, list[KeptBucket]] = defaultdict(list)
    for row in found:
        if row["raceId"] == race_id:
            buckets[row["entrantId"]].append(kept_bucket(row))
    return {entrant_id: tuple(kept) for entrant_id, kept in buckets.items()}


async def read_runner_buckets(rows: AppwriteRows, race_id: str, entrant_id: str) -> tuple[KeptBucket, ...]:
    """Return a runner's buckets: one call."""
    buckets = await read_buckets(rows, race_id, equal("entrantId", entrant_id))
    return buckets.get(entrant_id, ())


async def read_pools(rows: AppwriteRows, race_id: str) -> StoredPools | None:
    """Return the pools of a race, None when there is no row of them: one call."""
    row = await rows.get(RACE_POOLS, race_id)
    return stored_pools(row) if row is not None and row["$id"] == race_id else None


async def read_pool_standing(rows: AppwriteRows, race_id: str) -> PoolStanding | None:
    """Return the pools of a race with all its runners, None when there is no row of pools: three calls.

    The pools come first: pools written while the runners are read show when they are read again.
    """
    pools = await read_pools(rows, race_id)
    return None if pools is None else await with_runners(rows, race_id, pools)


async def with_runners(rows: AppwriteRows, race_id: str, pools: StoredPools) -> PoolStanding:
    """Return pools with the runners of their race: two calls."""
    found = await rows.find(ENTRANTS, equal("raceId", race_id), columns=RUNNER_COLUMNS)
    runners = [row for row in found if row["raceId"] == race_id]
    polls = await polls_at(rows, race_id, {row["lastUpdated"] for row in runners if row["lastUpdated"] is not None})
    return PoolStanding(pools, tuple(stored_runners(map(polls.told_apart, runners))), polls.instants())
