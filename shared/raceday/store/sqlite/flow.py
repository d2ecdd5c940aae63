"""Money flow and pools from updates of runners, in SQLite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import FlowRace, FlowStanding, KeptBucket, NotDue, RaceFlow, miscounted, update_flow
from raceday.domain.money_flow import Estimator
from raceday.domain.pools_update import PoolStanding, pools_due
from raceday.store.flow_ports import SweepWindow
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
from raceday.store.rows.values import instant_text, parse_instant
from raceday.store.sqlite.connection import SqliteConnection, placeholders
from raceday.store.tables import MONEY_FLOW_HISTORY, RACE_POOLS


def _names(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f'{table}."{column}"' for column in columns)


_BUCKETS = f'SELECT {_names("money_flow_history", KEPT_COLUMNS)} FROM money_flow_history WHERE "raceId" = ? '  # noqa: S608
# A poll writes its runners at the very instant that it notes as its own.
_AT_OUR_POLL = (
    "EXISTS (SELECT 1 FROM race_polls "
    'WHERE race_polls."raceId" = entrants."raceId" AND race_polls."polledAt" = entrants."$updatedAt")'
)
_OURS = f'coalesce(entrants."lastUpdated", \'\') <= entrants."$updatedAt" AND {_AT_OUR_POLL}'
# Nothing but us is sure to set "$updatedAt" here: where it is still that of our poll, a later stamp is all there is.
_WRITTEN_AT = (
    f'CASE WHEN entrants."lastUpdated" > entrants."$updatedAt" AND {_AT_OUR_POLL} '
    'THEN entrants."lastUpdated" ELSE entrants."$updatedAt" END AS "$updatedAt"'
)
_RUNNER_NAMES = ", ".join(
    (_WRITTEN_AT, _names("entrants", [column for column in RUNNER_COLUMNS if column != "$updatedAt"]))
)
_RUNNERS = f"SELECT {_RUNNER_NAMES} FROM entrants "  # noqa: S608
_WRITTEN_BY_OTHERS = (
    f"SELECT {_RUNNER_NAMES} FROM races "  # noqa: S608
    'CROSS JOIN entrants ON entrants."raceId" = races."$id" '
    'WHERE races."startTime" >= ? AND races."startTime" < ? '
    f'AND (entrants."$updatedAt" >= ? OR entrants."lastUpdated" >= ?) AND NOT ({_OURS})'
)


class SqliteFlow:
    """The operations of `FlowStore`; each reads or writes in one transaction."""

    _db: SqliteConnection

    async def flow_standing(self, update: EntrantUpdate) -> FlowStanding:
        """Return what is stored about a runner's update."""
        with self._db.reading():
            return _standing(self._db, update)

    async def save_flow(self, update: EntrantUpdate, estimator: Estimator, at: datetime) -> bool:
        """Write the bucket that an update makes and the increments that it changes; say whether there was any."""
        db, now = self._db, instant_text(at)
        with db.writing():
            due = update_flow(update, _standing(db, update), estimator)
            db.step("buckets read")
            if isinstance(due, NotDue):
                return False
            db.upsert(MONEY_FLOW_HISTORY, map(update_bucket_row, due.buckets), now)
            db.step("bucket written")
            for repair in due.repairs:
                db.update(MONEY_FLOW_HISTORY, repair_row(repair), now)
            db.step("increments repaired")
        return True

    async def pool_standing(self, update: EntrantUpdate) -> PoolStanding | None:
        """Return the pools of a runner's race, with all its runners unless the update is a poll's."""
        with self._db.reading():
            if _own_polls(self._db, update.race_id, [update.written_at]):
                return _pool_standing(self._db, update.race_id, runners=())
            return _pool_standing(self._db, update.race_id, _runners(self._db, update.race_id))

    async def save_pool_totals(self, race_id: str, estimator: Estimator, at: datetime) -> bool:
        """Bring a race's pools up to what its runners say; say whether anything changed."""
        with self._db.writing():
            standing = _pool_standing(self._db, race_id, _runners(self._db, race_id))
            due = pools_due(standing, estimator) if standing is not None else None
            if due is None or due.updated_at is None:
                return False
            self._db.upsert(RACE_POOLS, [pools_row(race_id, due.totals, due.updated_at)], instant_text(at))
        return True

    async def runners_written_by_others(self, window: SweepWindow) -> list[EntrantUpdate]:
        """Return the window's runners whose last write was not a poll of ours, longest ago first."""
        written_from = instant_text(window.written_from)
        parameters = (
            instant_text(window.starts_from),
            instant_text(window.starts_before),
            written_from,
            written_from,
        )
        with self._db.reading():
            rows = self._db.rows(_WRITTEN_BY_OTHERS, parameters)
        return sorted(stored_runners(rows), key=lambda update: (update.written_at, update.entrant_id))

    async def race_flow(self, race_id: str, since: datetime) -> RaceFlow | None:
        """Return all buckets of a race with its own polls since an instant; None for an unknown race."""
        with self._db.reading():
            race = _race(self._db, race_id)
            if race is None:
                return None
            polls = self._db.tuples(
                'SELECT "polledAt" FROM race_polls WHERE "raceId" = ? AND "polledAt" >= ?',
                (race_id, instant_text(since)),
            )
            buckets = _race_buckets(self._db, race_id)
        return RaceFlow(race, buckets, frozenset(parse_instant(polled_at) for (polled_at,) in polls))

    async def repair_increments(self, race_id: str, at: datetime) -> int:
        """Count the increments of all buckets of a race again and write those that were wrong; return how many."""
        with self._db.writing():
            buckets = _race_buckets(self._db, race_id).values()
            repairs = [repair for kept in buckets for repair in miscounted([bucket.flow for bucket in kept])]
            for repair in repairs:
                self._db.update(MONEY_FLOW_HISTORY, repair_row(repair), instant_text(at))
        return len(repairs)


def _standing(db: SqliteConnection, update: EntrantUpdate) -> FlowStanding:
    if _own_polls(db, update.race_id, [update.written_at]):
        return FlowStanding((), polled=True)
    rows = db.rows(
        _BUCKETS + 'AND "entrantId" = ? AND type = ?',
        (update.race_id, update.entrant_id, BUCKET_TYPE),
    )
    return FlowStanding(tuple(kept_bucket(row) for row in rows), _race(db, update.race_id))


def _race(db: SqliteConnection, race_id: str) -> FlowRace | None:
    row = db.row(f'SELECT {_names("races", FLOW_RACE_COLUMNS)} FROM races WHERE "$id" = ?', (race_id,))  # noqa: S608
    return None if row is None else flow_race(row)


def _race_buckets(db: SqliteConnection, race_id: str) -> dict[str, tuple[KeptBucket, ...]]:
    buckets: dict[str, list[KeptBucket]] = defaultdict(list)
    for row in db.rows(_BUCKETS + "AND type = ?", (race_id, BUCKET_TYPE)):
        buckets[row["entrantId"]].append(kept_bucket(row))
    return {entrant_id: tuple(kept) for entrant_id, kept in buckets.items()}


def _runners(db: SqliteConnection, race_id: str) -> list[EntrantUpdate]:
    return stored_runners(db.rows(_RUNNERS + 'WHERE "raceId" = ?', (race_id,)))


def _pool_standing(db: SqliteConnection, race_id: str, runners: Sequence[EntrantUpdate]) -> PoolStanding | None:
    pools = db.row('SELECT * FROM race_pools WHERE "$id" = ?', (race_id,))
    if pools is None:
        return None
    polls = _own_polls(db, race_id, sorted({runner.written_at for runner in runners}))
    return PoolStanding(stored_pools(pools), tuple(runners), polls)


def _own_polls(db: SqliteConnection, race_id: str, instants: Sequence[datetime]) -> frozenset[datetime]:
    """Return those of the instants at which we polled the race ourselves."""
    rows = db.tuples(
        f'SELECT "polledAt" FROM race_polls WHERE "raceId" = ? AND "polledAt" IN ({placeholders(instants)})',  # noqa: S608
        (race_id, *map(instant_text, instants)),
    )
    return frozenset(parse_instant(polled_at) for (polled_at,) in rows)
