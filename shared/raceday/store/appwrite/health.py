"""What the operator looks at, on Appwrite. The platform joins and groups nothing: that is done here, over few reads.

Several reads show no consistent state. What is written between them is in one of two figures and not in the other;
the next look has it in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from raceday.domain.coverage import FIRST_BUCKET, FollowedRace
from raceday.domain.health import Backlog, FailureTally, FunctionRuns
from raceday.domain.quality import PollQuality
from raceday.store.appwrite.closings import FOLLOWED_COLUMNS, AppwriteClosings, followed_races
from raceday.store.appwrite.queries import Query, ascending, at_least, at_most, below, descending, equal
from raceday.store.appwrite.retention import AppwriteRetention
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.waiting import all_waiting, with_waiting
from raceday.store.rows.health import POINT_COLUMNS, RUN_COLUMNS, failure_tallies, function_runs, poll_points
from raceday.store.rows.values import StoredRow, instant_text, parse_optional_instant
from raceday.store.tables import (
    ALERT_BACKLOG,
    FUNCTION_RUNS,
    MONEY_FLOW_HISTORY,
    NOTIFICATIONS,
    POLL_LOGS,
    RACE_POLLS,
    RACES,
    Table,
)


class AppwriteHealth(AppwriteClosings, AppwriteRetention):
    """The operations of `HealthStore`."""

    _rows: AppwriteRows

    async def followed_races(self, starts_from: datetime, starts_before: datetime) -> list[FollowedRace]:
        """Return the races whose advertised start lies in the span, by start. Three calls for up to 80 races."""
        span = (at_least("startTime", starts_from), below("startTime", starts_before))
        races = await self._rows.find(RACES, *span, columns=FOLLOWED_COLUMNS)
        return await followed_races(self._rows, sorted(races, key=lambda row: (row["startTime"], row["$id"])))

    async def buckets_present(self, race_ids: Sequence[str]) -> dict[str, frozenset[int]]:
        """Return the time buckets of each race that have a row of at least one runner: a call for every 1,000 rows.

        A race of 12 runners has about 200.
        """
        ladder = (at_least("timeInterval", 0), at_most("timeInterval", FIRST_BUCKET))
        columns = ("raceId", "timeInterval")
        rows = await self._rows.of_ids(MONEY_FLOW_HISTORY, "raceId", race_ids, *ladder, columns=columns)
        buckets: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            buckets[row["raceId"]].add(row["timeInterval"])
        return {race_id: frozenset(buckets[race_id]) for race_id in race_ids if race_id in buckets}

    async def function_runs(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, FunctionRuns]:
        """Return the runs of each function of a span, and its newest until then.

        A call for every 1,000 runs of the span, and one for each function that did not run in it.
        """
        span = (at_least("startedAt", since), at_most("startedAt", until), ascending("startedAt"))
        runs: dict[str, list[StoredRow]] = defaultdict(list)
        for row in await self._rows.find(FUNCTION_RUNS, *span, columns=RUN_COLUMNS):
            runs[row["function"]].append(row)
        return {
            function: function_runs(
                function, runs[function], await _newest(self._rows, function, until, runs[function])
            )
            for function in functions
        }

    async def degraded_polls(self, since: datetime, until: datetime) -> list[PollQuality]:
        """Return the points of the polls of a span that were marked as degraded. Two calls."""
        columns = (*POINT_COLUMNS, "degraded")
        rows = await _span(self._rows, RACE_POLLS, "polledAt", since, until, equal("degraded", True), columns=columns)
        return [poll_points(tuple(row[column] for column in POINT_COLUMNS)) for row in rows if row["degraded"]]

    async def poll_failures(self, since: datetime, until: datetime) -> list[FailureTally]:
        """Return the rows of `poll_logs` of a span, counted by kind, the most frequent first: a call for every 1,000
        rows, and one.
        """
        return failure_tallies(await _span(self._rows, POLL_LOGS, "occurredAt", since, until, columns=("error",)))

    async def backlog(self, until: datetime) -> Backlog:
        """Return what waited at `until` to be evaluated, and what was due to be delivered by then. Two to four
        calls.
        """
        alerts, oldest_alert = await _due(self._rows, ALERT_BACKLOG, "occurredAt", until)
        pending = equal("deliveryState", "pending")
        deliveries, oldest_due = await _due(self._rows, NOTIFICATIONS, "nextDeliveryAt", until, pending)
        return Backlog(alerts, oldest_alert, deliveries, oldest_due)


async def _newest(rows: AppwriteRows, function: str, until: datetime, of_span: Sequence[StoredRow]) -> StoredRow | None:
    if of_span:
        return of_span[-1]
    asked = (equal("function", function), at_most("startedAt", until), descending("startedAt"))
    found = await rows.find(FUNCTION_RUNS, *asked, columns=RUN_COLUMNS, at_most=1)
    return found[0] if found else None


async def _span(
    rows: AppwriteRows,
    table: Table,
    column: str,
    since: datetime,
    until: datetime,
    *queries: Query,
    columns: Sequence[str],
) -> list[StoredRow]:
    """Return the rows of a span of time, with those that still wait to be written, whatever `queries` say."""
    first, last = instant_text(since), instant_text(until)
    waiting = [row for row in await all_waiting(rows, table) if first <= row[column] <= last]
    span = (at_least(column, since), at_most(column, until), ascending(column))
    written = await rows.find(table, *queries, *span, columns=(column, *columns))
    return with_waiting(written, waiting)


async def _due(
    rows: AppwriteRows, table: Table, column: str, until: datetime, *queries: Query
) -> tuple[int, datetime | None]:
    """Count what was due by an instant, and say since when the oldest is."""
    due = (*queries, at_most(column, until))
    waiting = await rows.count(table, *due)
    oldest = await rows.find(table, *due, ascending(column), columns=(column,), at_most=1) if waiting else []
    return waiting, parse_optional_instant(oldest[0][column]) if oldest else None
