"""Money flow and pools from updates of runners, in PostgreSQL.

Whoever writes what it has read before holds the race's row meanwhile: of two updates of one race written at once the
second reads what the first wrote.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import FlowRace, FlowStanding, KeptBucket, NotDue, RaceFlow, miscounted, update_flow
from raceday.domain.money_flow import Estimator, IncrementRepair
from raceday.domain.pools_update import PoolStanding, pools_due
from raceday.store.flow_ports import SweepWindow
from raceday.store.postgres.database import PostgresDatabase, Statements
from raceday.store.postgres.names import json_rows, selected
from raceday.store.postgres.reading import FLOW_OF_RACE, POLLS_OF_RACE, one_state, thrice
from raceday.store.rows.flow import (
    FLOW_RACE_COLUMNS,
    KEPT_COLUMNS,
    RUNNER_COLUMNS,
    flow_race,
    kept_bucket,
    stored_pools,
    stored_runners,
    update_bucket_row,
)
from raceday.store.rows.history import BUCKET_TYPE, pools_row, repair_row
from raceday.store.rows.values import Row, instant_text, parse_instant
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, RACE_POOLS, RACES

_RACE = f"SELECT {selected(RACES, FLOW_RACE_COLUMNS)} FROM races WHERE race_id = %s"  # noqa: S608
_BUCKETS = (
    f"SELECT {selected(MONEY_FLOW_HISTORY, KEPT_COLUMNS)} FROM money_flow_history WHERE {FLOW_OF_RACE} AND type = %s"  # noqa: S608
)
_POLLS = f"SELECT polled_at FROM race_polls WHERE {POLLS_OF_RACE} "  # noqa: S608
_POOLS = f"SELECT {selected(RACE_POOLS)} FROM race_pools WHERE race_id = %s"  # noqa: S608
_HOLD_RACE = "SELECT FROM races WHERE race_id = %s FOR NO KEY UPDATE"
_RUNNERS = f"SELECT {selected(ENTRANTS, RUNNER_COLUMNS)} FROM entrants "  # noqa: S608
# A poll writes its runners at the very instant that it notes as its own; whoever else writes one is stamped with the
# time. Counted, not asked whether it exists: that is one look-up for each runner, where EXISTS may read all polls.
_WRITTEN_BY_OTHERS = f"""
    {_RUNNERS} JOIN races USING (race_id)
    WHERE races.start_time >= %s AND races.start_time < %s AND entrants.updated_at >= %s AND (
        SELECT count(*) FROM race_polls
        WHERE race_polls.race_id = entrants.race_id AND race_polls.polled_at = entrants.updated_at
    ) = 0
"""  # noqa: S608
_PUT_BUCKETS = (
    "SELECT put_buckets(%s::jsonb, %s, flow_from, history_to, may_insert => %s) FROM races WHERE race_id = %s"
)
_WIDEN_HISTORY = (
    "UPDATE races SET flow_from = least(flow_from, %s), history_to = greatest(history_to, %s) WHERE race_id = %s"
)


class PostgresFlow:
    """The operations of `FlowStore`; each reads or writes in one transaction."""

    _db: PostgresDatabase

    async def flow_standing(self, update: EntrantUpdate) -> FlowStanding:
        """Return what is stored about a runner's update."""
        async with one_state(self._db) as tx:
            return await _standing(tx, update)

    async def save_flow(self, update: EntrantUpdate, estimator: Estimator, at: datetime) -> bool:
        """Write the bucket that an update makes and the increments that it changes; say whether there was any."""
        async with self._db.transaction() as tx:
            await tx.execute(_HOLD_RACE, (update.race_id,))
            due = update_flow(update, await _standing(tx, update), estimator)
            if isinstance(due, NotDue):
                return False
            instants = [instant_text(bucket.at) for bucket in due.buckets]
            await _put(tx, update.race_id, map(update_bucket_row, due.buckets), at, may_insert=True)
            await tx.execute(_WIDEN_HISTORY, (min(instants), max(instants), update.race_id))
            await _repair(tx, update.race_id, due.repairs, at)
        return True

    async def pool_standing(self, update: EntrantUpdate) -> PoolStanding | None:
        """Return the pools of a runner's race, with all its runners unless the update is a poll's."""
        async with one_state(self._db) as tx:
            if await _own_polls(tx, update.race_id, [update.written_at]):
                return await _pool_standing(tx, update.race_id, runners=())
            return await _pool_standing(tx, update.race_id, await _runners(tx, update.race_id))

    async def save_pool_totals(self, race_id: str, estimator: Estimator, at: datetime) -> bool:
        """Bring a race's pools up to what its runners say; say whether anything changed."""
        async with self._db.transaction() as tx:
            await tx.execute(_HOLD_RACE, (race_id,))
            standing = await _pool_standing(tx, race_id, await _runners(tx, race_id))
            due = pools_due(standing, estimator) if standing is not None else None
            if due is None or due.updated_at is None:
                return False
            rows = json_rows(RACE_POOLS, [pools_row(race_id, due.totals, due.updated_at)])
            await tx.execute("SELECT upsert_race_pools(%s::jsonb, %s)", (rows, instant_text(at)))
        return True

    async def runners_written_by_others(self, window: SweepWindow) -> list[EntrantUpdate]:
        """Return the window's runners whose last write was not a poll of ours, longest ago first."""
        instants = (window.starts_from, window.starts_before, window.written_from)
        rows = await self._db.rows(_WRITTEN_BY_OTHERS, tuple(map(instant_text, instants)))
        return sorted(stored_runners(rows), key=lambda update: (update.written_at, update.entrant_id))

    async def race_flow(self, race_id: str, since: datetime) -> RaceFlow | None:
        """Return all buckets of a race with its own polls since an instant; None for an unknown race."""
        async with one_state(self._db) as tx:
            race = await _race(tx, race_id)
            if race is None:
                return None
            polls = await tx.tuples(_POLLS + "AND polled_at >= %s", (*thrice(race_id), instant_text(since)))
            buckets = await _race_buckets(tx, race_id)
        return RaceFlow(race, buckets, frozenset(parse_instant(polled_at) for (polled_at,) in polls))

    async def repair_increments(self, race_id: str, at: datetime) -> int:
        """Count the increments of all buckets of a race again and write those that were wrong; return how many."""
        async with self._db.transaction() as tx:
            await tx.execute(_HOLD_RACE, (race_id,))
            buckets = (await _race_buckets(tx, race_id)).values()
            repairs = [repair for kept in buckets for repair in miscounted([bucket.flow for bucket in kept])]
            await _repair(tx, race_id, repairs, at)
        return len(repairs)


async def _standing(tx: Statements, update: EntrantUpdate) -> FlowStanding:
    if await _own_polls(tx, update.race_id, [update.written_at]):
        return FlowStanding((), polled=True)
    rows = await tx.rows(_BUCKETS + " AND entrant_id = %s", (*thrice(update.race_id), BUCKET_TYPE, update.entrant_id))
    return FlowStanding(tuple(kept_bucket(row) for row in rows), await _race(tx, update.race_id))


async def _race(tx: Statements, race_id: str) -> FlowRace | None:
    row = await tx.row(_RACE, (race_id,))
    return None if row is None else flow_race(row)


async def _race_buckets(tx: Statements, race_id: str) -> dict[str, tuple[KeptBucket, ...]]:
    buckets: dict[str, list[KeptBucket]] = defaultdict(list)
    for row in await tx.rows(_BUCKETS, (*thrice(race_id), BUCKET_TYPE)):
        buckets[row["entrantId"]].append(kept_bucket(row))
    return {entrant_id: tuple(kept) for entrant_id, kept in buckets.items()}


async def _put(tx: Statements, race_id: str, rows: Iterable[Row], at: datetime, *, may_insert: bool) -> None:
    await tx.execute(_PUT_BUCKETS, (json_rows(MONEY_FLOW_HISTORY, rows), instant_text(at), may_insert, race_id))


async def _repair(tx: Statements, race_id: str, repairs: Sequence[IncrementRepair], at: datetime) -> None:
    if repairs:
        await _put(tx, race_id, map(repair_row, repairs), at, may_insert=False)


async def _runners(tx: Statements, race_id: str) -> list[EntrantUpdate]:
    return stored_runners(await tx.rows(_RUNNERS + "WHERE race_id = %s", (race_id,)))


async def _pool_standing(tx: Statements, race_id: str, runners: Sequence[EntrantUpdate]) -> PoolStanding | None:
    pools = await tx.row(_POOLS, (race_id,))
    if pools is None:
        return None
    polls = await _own_polls(tx, race_id, sorted({runner.written_at for runner in runners}))
    return PoolStanding(stored_pools(pools), tuple(runners), polls)


async def _own_polls(tx: Statements, race_id: str, instants: Sequence[datetime]) -> frozenset[datetime]:
    """Return those of the instants at which we polled the race ourselves."""
    rows = await tx.tuples(
        _POLLS + "AND polled_at = ANY(%s::timestamptz[])", (*thrice(race_id), list(map(instant_text, instants)))
    )
    return frozenset(parse_instant(polled_at) for (polled_at,) in rows)
