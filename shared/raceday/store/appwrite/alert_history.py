"""A race's past as alerts read it, and which races have news, on Appwrite."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from raceday.domain.alerts.money import BucketMoney
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import OddsTick
from raceday.store.appwrite.own_polls import POLL_TAKES, OwnPolls
from raceday.store.appwrite.queries import ascending, at_least, below, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.alert_history import (
    MONEY_COLUMNS,
    TICK_COLUMNS,
    TOUCHED_STARTS,
    WIN_KINDS,
    bucket_money,
    ticks_by_runner,
)
from raceday.store.rows.flow import RUNNER_COLUMNS, stored_runners
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.rows.values import StoredRow, parse_instant
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, ODDS_HISTORY, RACE_POLLS, RACES

_STAMP_COLUMNS = ("raceId", "lastUpdated")


class AppwriteAlertHistory:
    """What alerts look back at. A call for every 1,000 rows: as a rule one."""

    _rows: AppwriteRows

    async def win_ticks(self, race_id: str, entrant_ids: Sequence[str]) -> dict[str, list[OddsTick]]:
        """Return the win prices of runners, fixed and tote, oldest first."""
        rows = await self._rows.of_ids(
            ODDS_HISTORY,
            "entrantId",
            entrant_ids,
            equal("raceId", race_id),
            equal("type", *WIN_KINDS),
            ascending("eventTimestamp"),
            columns=("raceId", *TICK_COLUMNS),
        )
        wanted = frozenset(entrant_ids)
        return ticks_by_runner(
            race_id, _values((row for row in _of_race(rows, race_id) if row["entrantId"] in wanted), TICK_COLUMNS)
        )

    async def bucket_money(self, race_id: str) -> list[BucketMoney]:
        """Return the money-flow buckets of a race."""
        rows = await self._rows.find(
            MONEY_FLOW_HISTORY,
            equal("raceId", race_id),
            equal("type", BUCKET_TYPE),
            columns=("raceId", *MONEY_COLUMNS),
        )
        return bucket_money(_values(_of_race(rows, race_id), MONEY_COLUMNS))

    async def alert_runners(self, race_id: str) -> list[EntrantUpdate]:
        """Return the runners of a race as their rows stand."""
        columns = [name for name in RUNNER_COLUMNS if not name.startswith("$")]
        rows = await self._rows.find(ENTRANTS, equal("raceId", race_id), columns=columns)
        return stored_runners(_of_race(rows, race_id))

    async def races_touched(self, since: datetime, starts_before: datetime) -> list[tuple[str, datetime]]:
        """Return the races with something new, or a runner written, at or after an instant, with the last time.

        Three calls. The platform keeps an index on `$updatedAt` of every table. Polls without news, which wait in the
        claims, touch nothing.
        """
        polls, runners = await asyncio.gather(
            # From a little earlier: a runner written since may bear the stamp of a poll that was made before.
            self._rows.find(
                RACE_POLLS,
                at_least("polledAt", since - POLL_TAKES),
                equal("changed", True),
                columns=("raceId", "polledAt"),
            ),
            self._rows.find(ENTRANTS, at_least("$updatedAt", since), columns=_STAMP_COLUMNS),
        )
        own = OwnPolls(polls)
        written = stored_runners({"isScratched": False, **own.told_apart(row)} for row in runners)
        polled_at = [(str(row["raceId"]), parse_instant(row["polledAt"])) for row in polls]
        written_at = [(runner.race_id, runner.written_at) for runner in written]
        return await self._started_before(starts_before, since, polled_at, written_at)

    async def _started_before(
        self,
        starts_before: datetime,
        since: datetime,
        polled_at: Sequence[tuple[str, datetime]],
        written_at: Sequence[tuple[str, datetime]],
    ) -> list[tuple[str, datetime]]:
        """Return the last news since an instant of the races that start early enough."""
        news = [(race_id, at, False) for race_id, at in polled_at if at >= since]
        news += [(race_id, at, True) for race_id, at in written_at if at >= since]
        rows = await self._rows.of_ids(
            RACES,
            "$id",
            [race_id for race_id, _, _ in news],
            below("startTime", starts_before),
            columns=("startTime",),
        )
        starts = {str(row["$id"]): parse_instant(row["startTime"]) for row in rows}
        touched: dict[str, datetime] = {}
        for race_id, at, by_runner in news:
            start = starts.get(race_id)
            if start is not None and not (by_runner and start < since - TOUCHED_STARTS):
                touched[race_id] = max(at, touched.get(race_id, at))
        return sorted(touched.items(), key=lambda race: (race[1], race[0]))


def _of_race(rows: Iterable[StoredRow], race_id: str) -> Iterable[StoredRow]:
    """Leave out the races that the platform takes for this one: it compares ids without regard to case."""
    return (row for row in rows if row["raceId"] == race_id)


def _values(rows: Iterable[StoredRow], columns: Sequence[str]) -> Iterable[Sequence[object]]:
    return ([row[name] for name in columns] for row in rows)
