"""What the operator looks at, and what keeps the history from growing for ever, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.closing import RaceClosing, RaceHistory
from raceday.domain.coverage import FIRST_BUCKET, FollowedRace
from raceday.domain.health import THROTTLED, Backlog, FailureTally, FunctionRuns
from raceday.domain.quality import PollQuality
from raceday.store.health_ports import DroppedRows
from raceday.store.postgres.closings import FOLLOWED, race_history
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import json_rows, selected
from raceday.store.postgres.reading import FLOW_OF_RACE, ODDS_OF_RACE, POLLS_OF_RACE, one_state, thrice
from raceday.store.rows.health import FAILED_FROM, POINT_COLUMNS, closing_row, followed_race, last_run, poll_points
from raceday.store.rows.values import instant_text, parse_instant, parse_optional_instant
from raceday.store.tables import (
    ALERT_BACKLOG,
    FUNCTION_RUNS,
    MONEY_FLOW_HISTORY,
    NOTIFICATIONS,
    ODDS_HISTORY,
    POLL_LOGS,
    RACE_CLOSINGS,
    RACE_POLLS,
)

_BUCKETS = """
    SELECT races.race_id, present.time_interval FROM races CROSS JOIN LATERAL (
        SELECT DISTINCT time_interval FROM money_flow_history AS flow
        WHERE flow.race_id = races.race_id AND flow.time_interval BETWEEN 0 AND %s
            AND flow.event_timestamp >= races.flow_from AND flow.event_timestamp <= races.history_to
    ) AS present
    WHERE races.race_id = ANY(%s)
"""
_TO_CLOSE = """
    SELECT races.race_id FROM races LEFT JOIN race_closings USING (race_id) LEFT JOIN race_results USING (race_id)
    WHERE races.start_time >= %s AND races.start_time < %s
        AND (
            races.status = 'Abandoned' OR races.status = 'Final' AND (
                race_results.result_status = 'final' OR coalesce(races.finalized_at, races.start_time) <= %s
            )
        )
        AND (
            race_closings.status IS DISTINCT FROM races.status
            OR coalesce(race_closings.result_hash, '') <> coalesce(race_results.content_hash, '')
        )
    ORDER BY races.start_time, races.race_id COLLATE "C"
"""
_RUNS = """
    SELECT asked.function, counted.*, newest.started_at, newest.duration_ms, newest.status_code
    FROM unnest(%s::text[]) AS asked (function)
    CROSS JOIN LATERAL (
        SELECT
            count(*), count(*) FILTER (WHERE status_code >= %s), count(*) FILTER (WHERE strpos(message, %s) > 0),
            avg(duration_ms)::double precision / 1000, max(duration_ms)::double precision / 1000
        FROM function_runs AS run
        WHERE run.function = asked.function AND run.started_at >= %s AND run.started_at <= %s
    ) AS counted
    LEFT JOIN LATERAL (
        SELECT started_at, duration_ms, status_code FROM function_runs AS run
        WHERE run.function = asked.function AND run.started_at <= %s ORDER BY started_at DESC LIMIT 1
    ) AS newest ON true
"""
# Ids that are known before the statement runs are looked up one by one, however many there are.
_DROP_ODDS = (
    # Prices are found by their runners.
    "DELETE FROM odds_history WHERE id = ANY(ARRAY("  # noqa: S608
    "SELECT id FROM odds_history WHERE entrant_id = ANY(ARRAY(SELECT entrant_id FROM entrants WHERE race_id = %s)) "
    f"AND {ODDS_OF_RACE} LIMIT %s)) AND {ODDS_OF_RACE}"
)
_DROP_FLOW = (
    "DELETE FROM money_flow_history WHERE id = ANY(ARRAY("  # noqa: S608
    f"SELECT id FROM money_flow_history WHERE {FLOW_OF_RACE} LIMIT %s)) AND {FLOW_OF_RACE}"
)
_DROP_POLLS = (
    "DELETE FROM race_polls WHERE id = ANY(ARRAY("  # noqa: S608
    f"SELECT id FROM race_polls WHERE {POLLS_OF_RACE} LIMIT %s)) AND {POLLS_OF_RACE}"
)
_DROP_LOGS = {
    table.name: f"DELETE FROM {table.sql_name} WHERE id = ANY(ARRAY("  # noqa: S608
    f"SELECT id FROM {table.sql_name} WHERE {column} < %s ORDER BY {column} LIMIT %s))"
    for table, column in (
        (POLL_LOGS, "occurred_at"),
        (FUNCTION_RUNS, "started_at"),
        (NOTIFICATIONS, "crossed_at"),
        (ALERT_BACKLOG, "occurred_at"),
    )
}


class PostgresHealth:
    """The operations of `HealthStore`."""

    _db: PostgresDatabase

    async def followed_races(self, starts_from: datetime, starts_before: datetime) -> list[FollowedRace]:
        """Return the races whose advertised start lies in the span, by start."""
        rows = await self._db.tuples(
            FOLLOWED + "WHERE races.start_time >= %s AND races.start_time < %s "
            'ORDER BY races.start_time, races.race_id COLLATE "C"',
            (instant_text(starts_from), instant_text(starts_before)),
        )
        return [followed_race(*row) for row in rows]

    async def buckets_present(self, race_ids: Sequence[str]) -> dict[str, frozenset[int]]:
        """Return the time buckets of each race that have a row of at least one runner."""
        buckets: dict[str, set[int]] = {}
        for race_id, bucket in await self._db.tuples(_BUCKETS, (FIRST_BUCKET, list(race_ids))):
            buckets.setdefault(race_id, set()).add(bucket)
        return {race_id: frozenset(present) for race_id, present in buckets.items()}

    async def function_runs(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, FunctionRuns]:
        """Return the runs of each function of a span, and its newest until then."""
        begin, end = instant_text(since), instant_text(until)
        rows = await self._db.tuples(_RUNS, (list(functions), FAILED_FROM, THROTTLED, begin, end, end))
        found = {}
        for function, runs, failed, throttled, mean_s, longest_s, *newest in rows:
            last = last_run(*newest) if newest[0] is not None else None
            found[function] = FunctionRuns(function, runs, failed, throttled, mean_s, longest_s, last)
        return found

    async def degraded_polls(self, since: datetime, until: datetime) -> list[PollQuality]:
        """Return the points of the polls of a span that were marked as degraded."""
        rows = await self._db.tuples(
            f"SELECT {selected(RACE_POLLS, POINT_COLUMNS)} FROM race_polls "  # noqa: S608
            "WHERE polled_at >= %s AND polled_at <= %s AND degraded",
            (instant_text(since), instant_text(until)),
        )
        return [poll_points(row) for row in rows]

    async def poll_failures(self, since: datetime, until: datetime) -> list[FailureTally]:
        """Return the rows of `poll_logs` of a span, counted by kind, the most frequent first."""
        rows = await self._db.tuples(
            "SELECT coalesce(error, ''), count(*), max(occurred_at) FROM poll_logs "
            'WHERE occurred_at >= %s AND occurred_at <= %s GROUP BY error ORDER BY 2 DESC, error COLLATE "C"',
            (instant_text(since), instant_text(until)),
        )
        return [FailureTally(kind, polls, parse_instant(last_at)) for kind, polls, last_at in rows]

    async def backlog(self, until: datetime) -> Backlog:
        """Return what waited at `until` to be evaluated, and what was due to be delivered by then."""
        now = instant_text(until)
        [(alerts, oldest_alert, deliveries, oldest_due)] = await self._db.tuples(
            "SELECT * FROM "
            "(SELECT count(*), min(occurred_at) FROM alert_backlog WHERE occurred_at <= %s) AS alerts, "
            "(SELECT count(*), min(next_delivery_at) FROM notifications "
            "WHERE delivery_state = 'pending' AND next_delivery_at <= %s) AS deliveries",
            (now, now),
        )
        return Backlog(alerts, parse_optional_instant(oldest_alert), deliveries, parse_optional_instant(oldest_due))

    async def races_to_close(self, starts_from: datetime, starts_before: datetime, final_before: datetime) -> list[str]:
        """Return the races of the span that are over and lack their closing snapshot, by start."""
        span = (instant_text(starts_from), instant_text(starts_before), instant_text(final_before))
        return [race_id for (race_id,) in await self._db.tuples(_TO_CLOSE, span)]

    async def race_history(self, race_id: str) -> RaceHistory | None:
        """Return everything that the closing snapshot of a race is made from, or None for an unknown race."""
        async with one_state(self._db) as tx:
            return await race_history(tx, race_id)

    async def save_closing(self, closing: RaceClosing) -> None:
        """Write the closing snapshot of a race, in place of an earlier one."""
        rows = json_rows(RACE_CLOSINGS, [closing_row(closing)])
        await self._db.execute("SELECT upsert_race_closings(%s::jsonb, %s)", (rows, instant_text(closing.closed_at)))

    async def first_start(self, starts_from: datetime | None) -> datetime | None:
        """Return the earliest advertised start at or after an instant (None: of all), or None without any."""
        begin = "-infinity" if starts_from is None else instant_text(starts_from)
        [(start,)] = await self._db.tuples("SELECT min(start_time) FROM races WHERE start_time >= %s", (begin,))
        return parse_optional_instant(start)

    async def count_races(self, starts_from: datetime, starts_before: datetime) -> int:
        """Count the races whose advertised start lies in the span."""
        [(races,)] = await self._db.tuples(
            "SELECT count(*) FROM races WHERE start_time >= %s AND start_time < %s",
            (instant_text(starts_from), instant_text(starts_before)),
        )
        return int(races)

    async def drop_history(self, race_id: str, limit: int) -> DroppedRows:
        """Drop a race's odds, money flow and polls, at most `limit` rows of each, in one transaction."""
        race = thrice(race_id)
        async with self._db.transaction() as tx:
            dropped = {
                ODDS_HISTORY.name: await tx.execute(_DROP_ODDS, (race_id, *race, limit, *race)),
                MONEY_FLOW_HISTORY.name: await tx.execute(_DROP_FLOW, (*race, limit, *race)),
                RACE_POLLS.name: await tx.execute(_DROP_POLLS, (*race, limit, *race)),
            }
        return {name: rows for name, rows in dropped.items() if rows}

    async def drop_logs(self, before: datetime, limit: int) -> DroppedRows:
        """Drop what is older of logs, runs, notifications and alert backlog, at most `limit` rows of each."""
        async with self._db.transaction() as tx:
            dropped = {
                name: await tx.execute(statement, (instant_text(before), limit))
                for name, statement in _DROP_LOGS.items()
            }
        return {name: rows for name, rows in dropped.items() if rows}
