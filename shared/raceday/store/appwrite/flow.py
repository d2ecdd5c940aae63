"""Money flow and pools from updates of runners, on Appwrite.

Our own polls write runners silently: the events behind these operations are those of other writers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow import MoneyFlow
from raceday.domain.flow_update import FlowStanding, KeptBucket, NotDue, RaceFlow, miscounted, update_flow
from raceday.domain.money_flow import Estimator, IncrementRepair, MoneyFlowBucket
from raceday.domain.pools_update import PoolStanding, pools_due
from raceday.errors import StoreConflict
from raceday.store.appwrite.flow_readings import (
    read_buckets,
    read_pool_standing,
    read_pools,
    read_race,
    read_runner_buckets,
    with_runners,
)
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE, Operation, bulk_update, create, update
from raceday.store.appwrite.own_polls import polls_at, polls_since
from raceday.store.appwrite.pending import pending_rows
from raceday.store.appwrite.queries import at_least, below, either, equal, is_empty, not_equal
from raceday.store.appwrite.rows import AppwriteRows, Verification
from raceday.store.appwrite.snapshot import OUTDATED
from raceday.store.flow_ports import SweepWindow
from raceday.store.rows.flow import RUNNER_COLUMNS, stored_runners, update_bucket_row
from raceday.store.rows.history import pools_row, repair_row
from raceday.store.rows.values import StoredRow, instant_text, parse_instant
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, POLL_CLAIMS, RACE_POLLS, RACE_POOLS, RACES

FLOW_TRIES = 8
"""A try fails when others write the same rows within its few calls; the platform runs eight functions at once."""


class AppwriteFlow:
    """The operations of `FlowStore`. `_claims_seen` holds the claims' rows as this run last saw them.

    The platform stamps rows by its own clock: the `at` of an operation is not used.
    """

    _rows: AppwriteRows
    _claims_seen: dict[str, StoredRow]

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

        Eight calls for a new bucket, nine for one that is replaced, unless somebody else writes the same runner. The
        last of them looks at the buckets once more: of two that were made at once neither writer saw the other's, and
        whoever looks last counts both.
        """
        race_id, entrant_id = update.race_id, update.entrant_id
        polled, race = await asyncio.gather(self._is_own_poll(update), read_race(self._rows, race_id))
        standing = FlowStanding((), race, polled)
        if isinstance(update_flow(update, standing, estimator), NotDue):
            return False

        async def look() -> _Due:
            buckets = await read_runner_buckets(self._rows, race_id, entrant_id)
            due = update_flow(update, replace(standing, buckets=buckets), estimator)
            if isinstance(due, NotDue):
                return _Due(_repairs(_miscounted(buckets)))
            replaced = _among(buckets, due.buckets)

            async def is_same() -> bool:
                return _among(await read_runner_buckets(self._rows, race_id, entrant_id), due.buckets) == replaced

            return _Due(_bucket_operations(due, replaced), is_same if replaced else None)

        return await self._write_all(race_id, look) > 0

    async def pool_standing(self, update: EntrantUpdate) -> PoolStanding | None:
        """Return the pools of a runner's race: two calls for one of our own polls, else four, with all its runners."""
        polled, pools = await asyncio.gather(self._is_own_poll(update), read_pools(self._rows, update.race_id))
        if pools is None:
            return None
        if polled:
            return PoolStanding(pools, (), frozenset({update.written_at}))
        return await with_runners(self._rows, update.race_id, pools)

    async def save_pool_totals(self, race_id: str, estimator: Estimator, at: datetime) -> bool:  # noqa: ARG002
        """Bring a race's pools up to what its runners say; say whether anything changed. Eight calls, if so."""

        async def look() -> _Due:
            standing = await read_pool_standing(self._rows, race_id)
            pools = standing.pools if standing is not None else None

            async def is_same() -> bool:
                return await read_pools(self._rows, race_id) == pools

            return _Due(_pool_operations(race_id, standing, estimator), is_same)

        return await self._write(race_id, look) > 0

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
        since_text = instant_text(since)
        made = [*polls, *(row for claim in waiting for row in pending_rows(claim, RACE_POLLS))]
        polled_at = {row["polledAt"] for row in made if row["raceId"] == race_id and row["polledAt"] >= since_text}
        return RaceFlow(race, buckets, frozenset(map(parse_instant, polled_at)))

    async def repair_increments(self, race_id: str, at: datetime) -> int:  # noqa: ARG002
        """Count the increments of all buckets of a race again and write those that were wrong; return how many.

        Six calls, if there are any; more than a transaction holds are written in several.
        """

        async def look() -> _Due:
            buckets = await read_buckets(self._rows, race_id)
            return _Due([repair for kept in buckets.values() for repair in _repairs(_miscounted(kept))])

        return await self._write_all(race_id, look)

    async def _is_own_poll(self, update: EntrantUpdate) -> bool:
        """Whether an update says that it is the write of one of our own polls: one call."""
        polls = await polls_at(self._rows, update.race_id, [instant_text(update.written_at)])
        return bool(polls.instants())

    async def _write_all(self, race_id: str, look: Callable[[], Awaitable[_Due]]) -> int:
        """Write what is due until nothing is; return how many operations that took."""
        written = 0
        while count := await self._write(race_id, look):
            written += count
        return written

    async def _write(self, race_id: str, look: Callable[[], Awaitable[_Due]]) -> int:
        """Write what is due, as much as fits one transaction; return how many operations that were.

        It begins again when somebody else writes the same rows: the commit fails when that happens after they were
        staged, and `is_same` looks, once they are, whether it happened before.
        """
        for tries_left in reversed(range(FLOW_TRIES)):
            due = await look()
            if not due.operations:
                return 0
            operations = due.operations[: OPERATIONS_AT_ONCE - 1]
            try:
                if await self._rows.commit([*operations, *await self._outdate_snapshot(race_id)], due.is_same):
                    return len(operations)
            except StoreConflict:
                if tries_left == 0:
                    raise
        raise StoreConflict(f"race {race_id}: its money flow is written by others all the time")

    async def _outdate_snapshot(self, race_id: str) -> list[Operation]:
        """Return what makes the next poll read the tables; nothing when it will anyway, or there is no claim. One call.

        The claim's row is the race's: were it written for every runner, twelve events of one race would all collide.
        So a poll that has just read the tables may leave a snapshot without this bucket; the sweep counts again.
        """
        self._claims_seen.pop(race_id, None)
        has_snapshot = either(is_empty("state"), not_equal("state", OUTDATED))
        claims = await self._rows.find(POLL_CLAIMS, equal("$id", race_id), has_snapshot, columns=("raceId",))
        outdated = {"$id": race_id, "state": OUTDATED}
        return [update(POLL_CLAIMS, outdated) for claim in claims if claim["$id"] == race_id]


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to be written, and whether what it replaces still is what it was; None where it replaces nothing."""

    operations: list[Operation]
    is_same: Verification | None = None


def _among(kept: Iterable[KeptBucket], made: Iterable[MoneyFlowBucket]) -> list[KeptBucket]:
    """Return those of a runner's stored buckets that others would replace."""
    numbers = {flow.bucket for flow in made}
    return [bucket for bucket in kept if bucket.flow.bucket in numbers]


def _bucket_operations(due: MoneyFlow, replaced: Collection[KeptBucket]) -> list[Operation]:
    """Return what writes buckets and the increments that they change.

    A bucket is made or updated by itself, not in a bulk: the second of two who make it at once is refused.
    """
    write = update if replaced else create
    return [*(write(MONEY_FLOW_HISTORY, update_bucket_row(flow)) for flow in due.buckets), *_repairs(due.repairs)]


def _pool_operations(race_id: str, standing: PoolStanding | None, estimator: Estimator) -> list[Operation]:
    due = pools_due(standing, estimator) if standing is not None else None
    if due is None or due.updated_at is None:
        return []
    return [update(RACE_POOLS, pools_row(race_id, due.totals, due.updated_at))]


def _miscounted(kept: Iterable[KeptBucket]) -> list[IncrementRepair]:
    return miscounted([bucket.flow for bucket in kept])


def _repairs(repairs: Iterable[IncrementRepair]) -> list[Operation]:
    """Return what writes new increments and leaves everything else of their buckets alone."""
    rows = map(repair_row, repairs)
    return [
        bulk_update(
            MONEY_FLOW_HISTORY, {name: row[name] for name in row if name != "$id"}, [equal("$id", str(row["$id"]))]
        )
        for row in rows
    ]
