"""What the operator looks at, and what keeps the history from growing for ever, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.closing import RaceClosing, RaceHistory
from raceday.domain.coverage import FIRST_BUCKET, FollowedRace
from raceday.domain.health import THROTTLED, Backlog, FailureTally, FunctionRuns
from raceday.domain.quality import PollQuality
from raceday.store.health_ports import DroppedRows
from raceday.store.rows.health import (
    FIGURE_COLUMNS,
    POINT_COLUMNS,
    RUNNER_COLUMNS,
    closing_figures,
    closing_row,
    followed_race,
    last_run,
    placings_of,
    poll_points,
    runner_close,
)
from raceday.store.rows.polls import DEGRADED, MARK_COLUMNS, poll_mark
from raceday.store.rows.states import pool_totals_of
from raceday.store.rows.values import instant_text, parse_instant, parse_optional_instant
from raceday.store.sqlite.connection import SqliteConnection, placeholders
from raceday.store.tables import (
    ALERT_BACKLOG,
    FUNCTION_RUNS,
    MONEY_FLOW_HISTORY,
    NOTIFICATIONS,
    ODDS_HISTORY,
    POLL_LOGS,
    RACE_CLOSINGS,
    RACE_POLLS,
    Table,
)

_FOLLOWED = (
    'SELECT races."$id", meetings."meetingName", races."raceNumber", races.name, races."startTime", races.status, '
    'races."abandonedAt", race_closings."$id" IS NOT NULL '
    'FROM races LEFT JOIN meetings ON meetings."$id" = races."meetingId" '
    'LEFT JOIN race_closings ON race_closings."$id" = races."$id" '
)
_TO_CLOSE = (
    'SELECT races."$id" FROM races LEFT JOIN race_closings ON race_closings."$id" = races."$id" '
    'LEFT JOIN race_results ON race_results."$id" = races."$id" '
    'WHERE races."startTime" >= ? AND races."startTime" < ? AND '
    "(races.status = 'Abandoned' OR (races.status = 'Final' AND "
    '(race_results."resultStatus" = \'final\' OR coalesce(races."finalizedAt", races."startTime") <= ?))) '
    'AND (race_closings."$id" IS NULL OR race_closings.status <> races.status '
    "OR coalesce(race_closings.\"resultHash\", '') <> coalesce(race_results.\"contentHash\", '')) "
    'ORDER BY races."startTime", races."$id"'
)
_RUNS = (
    'SELECT count(*), coalesce(sum("statusCode" >= 500), 0), coalesce(sum(message LIKE ?), 0), '
    'avg("durationMs") / 1000.0, max("durationMs") / 1000.0 FROM function_runs '
    'WHERE "function" = ? AND "startedAt" >= ? AND "startedAt" <= ?'
)
_LAST_RUN = (
    'SELECT "startedAt", "durationMs", "statusCode" FROM function_runs '
    'WHERE "function" = ? AND "startedAt" <= ? ORDER BY "startedAt" DESC LIMIT 1'
)
_HISTORY = (ODDS_HISTORY, MONEY_FLOW_HISTORY, RACE_POLLS)
_LOGS = (
    (POLL_LOGS, "occurredAt"),
    (FUNCTION_RUNS, "startedAt"),
    (NOTIFICATIONS, "crossedAt"),
    (ALERT_BACKLOG, "occurredAt"),
)


class SqliteHealth:
    """The operations of `HealthStore`."""

    _db: SqliteConnection

    @property
    def application_id(self) -> int:
        """The number in the file's header by which its maker marked it; 0 for none."""
        return int(self._db.read("PRAGMA application_id")[0][0])

    async def followed_races(self, starts_from: datetime, starts_before: datetime) -> list[FollowedRace]:
        """Return the races whose advertised start lies in the span, by start."""
        rows = self._db.read(
            _FOLLOWED
            + 'WHERE races."startTime" >= ? AND races."startTime" < ? ORDER BY races."startTime", races."$id"',
            (instant_text(starts_from), instant_text(starts_before)),
        )
        return [followed_race(*row) for row in rows]

    async def buckets_present(self, race_ids: Sequence[str]) -> dict[str, frozenset[int]]:
        """Return the time buckets of each race that have a row of at least one runner."""
        buckets: dict[str, set[int]] = {}
        for race_id, bucket in self._db.read(
            'SELECT DISTINCT "raceId", "timeInterval" FROM money_flow_history '  # noqa: S608
            f'WHERE "raceId" IN ({placeholders(race_ids)}) AND "timeInterval" BETWEEN 0 AND {FIRST_BUCKET}',
            race_ids,
        ):
            buckets.setdefault(race_id, set()).add(bucket)
        return {race_id: frozenset(present) for race_id, present in buckets.items()}

    async def function_runs(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, FunctionRuns]:
        """Return the runs of each function of a span, and its newest until then."""
        with self._db.reading():
            return {function: _function_runs(self._db, function, since, until) for function in functions}

    async def degraded_polls(self, since: datetime, until: datetime) -> list[PollQuality]:
        """Return the points of the polls of a span that were marked as degraded."""
        points = ", ".join(f'"{column}"' for column in POINT_COLUMNS)
        rows = self._db.read(
            f'SELECT {points} FROM race_polls WHERE "polledAt" >= ? AND "polledAt" <= ? AND degraded',  # noqa: S608
            (instant_text(since), instant_text(until)),
        )
        return [poll_points(row) for row in rows]

    async def poll_failures(self, since: datetime, until: datetime) -> list[FailureTally]:
        """Return the rows of `poll_logs` of a span, counted by kind, the most frequent first."""
        rows = self._db.read(
            'SELECT error, count(*), max("occurredAt") FROM poll_logs '
            'WHERE "occurredAt" >= ? AND "occurredAt" <= ? GROUP BY error ORDER BY 2 DESC, 1',
            (instant_text(since), instant_text(until)),
        )
        return [FailureTally(kind or "", polls, parse_instant(last_at)) for kind, polls, last_at in rows]

    async def backlog(self, until: datetime) -> Backlog:
        """Return what waited at `until` to be evaluated, and what was due to be delivered by then."""
        now = instant_text(until)
        with self._db.reading():
            [(alerts, oldest_alert)] = self._db.tuples(
                'SELECT count(*), min("occurredAt") FROM alert_backlog WHERE "occurredAt" <= ?', (now,)
            )
            [(deliveries, oldest_due)] = self._db.tuples(
                'SELECT count(*), min("nextDeliveryAt") FROM notifications '
                'WHERE "deliveryState" = \'pending\' AND "nextDeliveryAt" <= ?',
                (now,),
            )
        return Backlog(alerts, parse_optional_instant(oldest_alert), deliveries, parse_optional_instant(oldest_due))

    async def races_to_close(self, starts_from: datetime, starts_before: datetime, final_before: datetime) -> list[str]:
        """Return the races of the span that are over and lack their closing snapshot, by start."""
        span = (instant_text(starts_from), instant_text(starts_before), instant_text(final_before))
        return [race_id for (race_id,) in self._db.read(_TO_CLOSE, span)]

    async def race_history(self, race_id: str) -> RaceHistory | None:
        """Return everything that the closing snapshot of a race is made from, or None for an unknown race."""
        with self._db.reading():
            return _race_history(self._db, race_id)

    async def save_closing(self, closing: RaceClosing) -> None:
        """Write the closing snapshot of a race, in place of an earlier one."""
        with self._db.writing():
            self._db.upsert(RACE_CLOSINGS, [closing_row(closing)], instant_text(closing.closed_at))

    async def first_start(self, starts_from: datetime | None) -> datetime | None:
        """Return the earliest advertised start at or after an instant (None: of all), or None without any."""
        begin = "" if starts_from is None else instant_text(starts_from)
        [(start,)] = self._db.read('SELECT min("startTime") FROM races WHERE "startTime" >= ?', (begin,))
        return parse_optional_instant(start)

    async def count_races(self, starts_from: datetime, starts_before: datetime) -> int:
        """Count the races whose advertised start lies in the span."""
        [(races,)] = self._db.read(
            'SELECT count(*) FROM races WHERE "startTime" >= ? AND "startTime" < ?',
            (instant_text(starts_from), instant_text(starts_before)),
        )
        return int(races)

    async def drop_history(self, race_id: str, limit: int) -> DroppedRows:
        """Drop a race's odds, money flow and polls, at most `limit` rows of each, in one transaction."""
        with self._db.writing():
            dropped = {table.name: _drop(self._db, table, '"raceId" = ?', race_id, limit) for table in _HISTORY}
        return {name: rows for name, rows in dropped.items() if rows}

    async def drop_logs(self, before: datetime, limit: int) -> DroppedRows:
        """Drop what is older of logs, runs, notifications and alert backlog, at most `limit` rows of each."""
        with self._db.writing():
            dropped = {
                table.name: _drop(self._db, table, f'"{column}" < ?', instant_text(before), limit)
                for table, column in _LOGS
            }
        return {name: rows for name, rows in dropped.items() if rows}


def _function_runs(db: SqliteConnection, function: str, since: datetime, until: datetime) -> FunctionRuns:
    last = db.tuples(_LAST_RUN, (function, instant_text(until)))
    [(runs, failed, throttled, mean_s, longest_s)] = db.tuples(
        _RUNS, (f"%{THROTTLED}%", function, instant_text(since), instant_text(until))
    )
    return FunctionRuns(function, runs, failed, throttled, mean_s, longest_s, last_run(*last[0]) if last else None)


def _race_history(db: SqliteConnection, race_id: str) -> RaceHistory | None:
    race = db.tuples(_FOLLOWED + 'WHERE races."$id" = ?', (race_id,))
    if not race:
        return None
    marks = ", ".join(f'"{column}"' for column in MARK_COLUMNS)
    runners = ", ".join(f'"{column}"' for column in RUNNER_COLUMNS)
    [(race_date_nz,)] = db.tuples('SELECT "raceDateNz" FROM races WHERE "$id" = ?', (race_id,))
    polls = db.rows(f'SELECT {marks}, degraded FROM race_polls WHERE "raceId" = ?', (race_id,))  # noqa: S608
    [(failed,)] = db.tuples('SELECT count(*) FROM poll_logs WHERE "raceId" = ? AND error <> ?', (race_id, DEGRADED))
    buckets = db.tuples('SELECT DISTINCT "timeInterval" FROM money_flow_history WHERE "raceId" = ?', (race_id,))
    pools = db.row('SELECT * FROM race_pools WHERE "$id" = ? AND "hasData"', (race_id,))
    result = db.row('SELECT "resultsData", "contentHash" FROM race_results WHERE "$id" = ?', (race_id,))
    figures = ", ".join(f'"{column}"' for column in FIGURE_COLUMNS)
    earlier = db.row(f'SELECT {figures} FROM race_closings WHERE "$id" = ?', (race_id,))  # noqa: S608
    return RaceHistory(
        race=followed_race(*race[0]),
        race_date_nz=race_date_nz or "",
        polls=tuple(poll_mark(row) for row in polls),
        degraded_polls=sum(1 for row in polls if row["degraded"]),
        failed_polls=failed,
        buckets=frozenset(bucket for (bucket,) in buckets),
        pools=pool_totals_of(pools) if pools is not None else None,
        runners=tuple(
            runner_close(row)
            for row in db.rows(f'SELECT {runners} FROM entrants WHERE "raceId" = ?', (race_id,))  # noqa: S608
        ),
        placings=placings_of(result["resultsData"]) if result is not None else {},
        result_print=(result["contentHash"] or "") if result is not None else "",
        earlier=closing_figures(earlier) if earlier is not None else None,
    )


def _drop(db: SqliteConnection, table: Table, condition: str, value: str, limit: int) -> int:
    """Drop at most `limit` rows that meet an indexed condition; return how many."""
    name = table.sql_name
    return db.write(
        f"DELETE FROM {name} WHERE rowid IN (SELECT rowid FROM {name} WHERE {condition} LIMIT ?)",  # noqa: S608
        (value, limit),
    )
