"""Money flow and pools from updates of runners, on Appwrite.

Our own polls write runners silently: the events behind these operations are those of other writers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

import orjson

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import FlowStanding, KeptBucket, NotDue, RaceFlow, miscounted, update_flow
from raceday.domain.money_flow import Estimator, IncrementRepair
from raceday.domain.pools_update import PoolStanding, pools_due
from raceday.errors import StoreConflict
from raceday.store.appwrite import operations
from raceday.store.appwrite.flow_readings import (
    RaceBuckets,
    read_buckets,
    read_pool_standing,
    read_pools,
    read_race,
    read_runner_buckets,
    with_runners,
)
from raceday.store.appwrite.operations import Operation
from raceday.store.appwrite.own_polls import polls_at, polls_since
from raceday.store.appwrite.pending import pending_rows
from raceday.store.appwrite.queries import at_least, below, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.flow_ports import SweepWindow
from raceday.store.rows.flow import RUNNER_COLUMNS, stored_runners, update_bucket_row
from raceday.store.rows.history import BUCKET_TYPE, pools_row, repair_row
from raceday.store.rows.values import Row, StoredRow, instant_text, parse_instant
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, POLL_CLAIMS, RACE_POLLS, RACE_POOLS, RACES

FLOW_TRIES = 5
"""A try fails when somebody else writes to the race within its few calls."""
_Reading = TypeVar("_Reading")


class AppwriteFlow:
    """The operations of `FlowStore`. `_seen` holds the claims' rows as this run last saw them.

    The platform stamps rows by its own clock: the `at` of an operation is not used.
    """

    _rows: AppwriteRows
    _seen: dict[str, StoredRow]

    async def flow_standing(self, update: EntrantUpdate) -> FlowStanding:
        """Return what is stored about a runner's update: one call for one of our own polls, else three."""
        if await self._is_own_poll(update):
            return FlowStanding((), polled=True)
        buckets, race = await asyncio.gather(
            read_runner_buckets(self._rows, update.race_id, update.entrant_id), read_race(self._rows, update.race_id)
        )
        return FlowStanding(buckets, race)

    async def save_flow(self, update: EntrantUpdate, estimator: Estimator, at: datetime) -> bool:  # noqa: ARG002
        """Write the bucket that an update makes and the increments that it changes; say whether there was any.

        Eight calls, as long as nobody else writes to the race.
        """
        polled, race = await asyncio.gather(self._is_own_poll(update), read_race(self._rows, update.race_id))
        standing = FlowStanding((), race, polled)
        if isinstance(update_flow(update, standing, estimator), NotDue):
            return False

        def due(buckets: tuple[KeptBucket, ...]) -> list[Operation]:
            return _flow_operations(update, replace(standing, buckets=buckets), estimator)

        async def read() -> tuple[KeptBucket, ...]:
            return await read_runner_buckets(self._rows, update.race_id, update.entrant_id)

        return await self._write(update.race_id, read, due) is not None

    async def pool_standing(self, update: EntrantUpdate) -> PoolStanding | None:
        """Return the pools of a runner's race: two calls for one of our own polls, else four, with all its runners."""
        polled, pools = await asyncio.gather(self._is_own_poll(update), read_pools(self._rows, update.race_id))
        if pools is None:
            return None
        if polled:
            return PoolStanding(pools, (), frozenset({update.written_at}))
        return await with_runners(self._rows, update.race_id, pools)

    async def save_pool_totals(self, race_id: str, estimator: Estimator, at: datetime) -> bool:  # noqa: ARG002
        """Bring a race's pools up to what its runners say; say whether anything changed. Ten calls, if so."""

        def due(standing: PoolStanding | None) -> list[Operation]:
            return _pool_operations(race_id, standing, estimator)

        async def read() -> PoolStanding | None:
            return await read_pool_standing(self._rows, race_id)

        return await self._write(race_id, read, due) is not None

    async def runners_written_by_others(self, window: SweepWindow) -> list[EntrantUpdate]:
        """Return the window's runners whose last write was not a poll of ours, longest ago first.

        One call for the races, one for every 80 of them (some 900 runners) and one for every 1,000 polls of the time.
        """
        starts = (at_least("startTime", window.starts_from), below("startTime", window.starts_before))
        race_ids = [row["$id"] for row in await self._rows.find(RACES, *starts, columns=("$id",))]
        written = at_least("$updatedAt", window.written_from)
        runners = await self._rows.of_ids(ENTRANTS, "raceId", race_ids, written, columns=RUNNER_COLUMNS)
        if not runners:
            return []
        # After the runners: a poll that is committed between the two must not pass for somebody else.
        polls = await polls_since(self._rows, window.written_from)
        others = stored_runners(polls.told_apart(row) for row in runners if not polls.wrote(row))
        return sorted(others, key=lambda update: (update.written_at, update.entrant_id))

    async def race_flow(self, race_id: str, since: datetime) -> RaceFlow | None:
        """Return all buckets of a race with its own polls since an instant; None for an unknown race. Four calls."""
        race, buckets, waiting, polls = await asyncio.gather(
            read_race(self._rows, race_id),
            read_buckets(self._rows, race_id),
            self._rows.find(POLL_CLAIMS, equal("$id", race_id), columns=("pendingRows",)),
            self._rows.find(
                RACE_POLLS, equal("raceId", race_id), at_least("polledAt", since), columns=("raceId", "polledAt")
            ),
        )
        if race is None:
            return None
        made = [*polls, *(row for claim in waiting for row in pending_rows(claim, RACE_POLLS))]
        polled_at = {parse_instant(row["polledAt"]) for row in made if row["raceId"] == race_id}
        return RaceFlow(race, buckets, frozenset(instant for instant in polled_at if instant >= since))

    async def repair_increments(self, race_id: str, at: datetime) -> int:  # noqa: ARG002
        """Count the increments of all buckets of a race again and write those that were wrong; return how many.

        Six calls, if there are any.
        """

        def due(buckets: RaceBuckets) -> list[Operation]:
            rows = [row for kept in buckets.values() for row in _repair_rows(_miscounted(kept), kept)]
            return operations.bulk_upsert(MONEY_FLOW_HISTORY, rows)

        async def read() -> RaceBuckets:
            return await read_buckets(self._rows, race_id)

        repaired = await self._write(race_id, read, due)
        return 0 if repaired is None else sum(len(_miscounted(kept)) for kept in repaired.values())

    async def _is_own_poll(self, update: EntrantUpdate) -> bool:
        """Whether an update says that it is the write of one of our own polls: one call."""
        polls = await polls_at(self._rows, update.race_id, [instant_text(update.written_at)])
        return bool(polls.instants())

    async def _write(
        self, race_id: str, read: Callable[[], Awaitable[_Reading]], due: Callable[[_Reading], list[Operation]]
    ) -> _Reading | None:
        """Write what is due by a reading; return that reading, or None when nothing was due.

        Everything is read again once it is staged. What is written after that makes the commit fail, because whoever
        writes to a race's flow changes the row of its claim: our polls and this. Four calls and two readings.
        """
        for tries_left in reversed(range(FLOW_TRIES)):
            reading, snapshot = await asyncio.gather(read(), self._outdate_snapshot(race_id))
            to_write = due(reading)
            if not to_write:
                return None

            async def is_as_read(reading: _Reading = reading) -> bool:
                return await read() == reading

            try:
                if await self._rows.commit([*to_write, *snapshot], is_as_read):
                    self._seen.pop(race_id, None)
                    return reading
            except StoreConflict:
                if tries_left == 0:
                    raise
        raise StoreConflict(f"race {race_id}: its money flow is written by others all the time")

    async def _outdate_snapshot(self, race_id: str) -> list[Operation]:
        """Return what makes the next poll read the tables, nothing for a race that has no claim: one call.

        A text of no form, and another one each time: an update that changes nothing would let two writers pass, since
        it leaves `$updatedAt` alone.
        """
        claims = await self._rows.find(POLL_CLAIMS, equal("$id", race_id), columns=("raceId",))
        outdated = orjson.dumps({"form": None, "outdated": uuid4().hex}).decode()
        return [
            operations.update(POLL_CLAIMS, {"$id": race_id, "state": outdated})
            for claim in claims
            if claim["$id"] == race_id
        ]


def _flow_operations(update: EntrantUpdate, standing: FlowStanding, estimator: Estimator) -> list[Operation]:
    """Return what writes the bucket of an update, and the increments that it changes.

    The bucket is made or updated by itself: where a race has no claim, the second of two who do that is refused.
    """
    due = update_flow(update, standing, estimator)
    if isinstance(due, NotDue):
        return []
    stored = {kept.flow.bucket for kept in standing.buckets}
    written = [
        (operations.update if flow.bucket in stored else operations.create)(MONEY_FLOW_HISTORY, update_bucket_row(flow))
        for flow in due.buckets
    ]
    repaired = _repair_rows(due.repairs, standing.buckets)
    return written + operations.bulk_upsert(MONEY_FLOW_HISTORY, repaired)


def _pool_operations(race_id: str, standing: PoolStanding | None, estimator: Estimator) -> list[Operation]:
    due = pools_due(standing, estimator) if standing is not None else None
    if due is None or due.updated_at is None:
        return []
    return [operations.update(RACE_POOLS, pools_row(race_id, due.totals, due.updated_at))]


def _miscounted(kept: Iterable[KeptBucket]) -> list[IncrementRepair]:
    return miscounted([bucket.flow for bucket in kept])


def _repair_rows(repairs: Iterable[IncrementRepair], kept: Iterable[KeptBucket]) -> list[Row]:
    """Return new increments of a runner's buckets, with the required columns, without which nothing is upserted."""
    made_at = {bucket.flow.bucket: bucket.flow.at for bucket in kept}
    return [
        {**repair_row(repair), "type": BUCKET_TYPE, "eventTimestamp": instant_text(made_at[repair.bucket])}
        for repair in repairs
    ]
