"""A loaded PostgreSQL that tells the plan of every statement it runs, also of those within its own functions."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import Diagnostic

from contract.postgres_store import OneLoopStore
from raceday.store.postgres import database

_SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_nested_statements": "on",
    "client_min_messages": "log",
    "log_min_messages": "fatal",
}
_PARTITION = re.compile(r"(odds_history|money_flow_history|race_polls)_(?P<day>\d{4}_\d\d_\d\d|default)")
_LOAD = """
    SET session_replication_role = replica;

    INSERT INTO meetings (meeting_id, meeting_name, country, race_type, status, date, video_channels)
    SELECT 'm' || day || '-' || number, 'Course ' || number, 'NZ', 'Thoroughbred', 'active', day, rpad('[]', 200)
    FROM generate_series(date '2026-08-01', '2026-11-22', '1 day') AS each, date(each) AS day,
        generate_series(1, 25) AS number;

    -- The courses overseas race in New Zealand's night.
    INSERT INTO races (
        race_id, name, race_number, start_time, status, meeting_id, entrants_imported_at, last_poll_time, odds_from,
        flow_from, history_to, updated_at, comment
    )
    SELECT
        'r' || meeting_id || '-' || number, 'Race ' || number, number, start, 'Final', meeting_id,
        start - interval '1 hour', start, start - interval '1 hour', start - interval '1 hour', start, start,
        repeat('comment ', 40)
    FROM meetings, generate_series(1, 4) AS number,
        LATERAL (SELECT day_begins(date(date)) + interval '1 hour' + number * interval '1 hour') AS says (start);

    INSERT INTO poll_claims (race_id, last_poll_at) SELECT race_id, start_time FROM races;
    INSERT INTO race_pools (race_id, has_data, multi_leg_pools) SELECT race_id, true, rpad('[]', 200) FROM races;
    INSERT INTO race_results (race_id, result_status, content_hash, results_data)
    SELECT race_id, 'final', 'x', rpad('[]', 400) FROM races;
    INSERT INTO race_closings (race_id, status, result_hash, runners)
    SELECT race_id, 'Final', 'x', rpad('[]', 700) FROM races;
    INSERT INTO entrants (entrant_id, name, runner_number, race_id, updated_at, silk_colours)
    SELECT 'e' || race_id || '-' || number, 'Runner ' || number, number, race_id, start_time, repeat('red ', 20)
    FROM races, generate_series(1, 8) AS number WHERE start_time > timestamptz '2026-10-22 00:00Z';

    INSERT INTO odds_history (id, odds, event_timestamp, type, race_id, entrant_id)
    SELECT entrant_id || tick, 2.5, start_time - tick * interval '4 minutes', 'fixed_win', race_id, entrant_id
    FROM entrants JOIN races USING (race_id), generate_series(0, 14) AS tick
    WHERE history_day(start_time) >= date '2026-11-20';
    INSERT INTO money_flow_history (id, race_id, entrant_id, type, event_timestamp, time_interval, win_pool_amount)
    SELECT
        entrant_id || bucket, race_id, entrant_id, 'bucketed_aggregation', start_time - bucket * interval '5 minutes',
        bucket, 100
    FROM entrants JOIN races USING (race_id), generate_series(0, 12) AS bucket
    WHERE history_day(start_time) >= date '2026-11-20';
    INSERT INTO race_polls (id, race_id, polled_at, changed)
    SELECT race_id || poll, race_id, start_time - poll * interval '1 minute', true
    FROM races, generate_series(0, 60) AS poll WHERE history_day(start_time) >= date '2026-11-20';

    INSERT INTO user_alert_configs (id, user_id, enabled, alert_type, entrant_id, race_id)
    SELECT 'c' || number, 'user' || number % 500, true, 'scratching', 'e' || number, 'r' || number
    FROM generate_series(1, 5000) AS number;
    INSERT INTO user_alert_channels (id, user_id, webhook_url)
    SELECT 'u' || number, 'user' || number, repeat('hook/', 30) FROM generate_series(1, 5000) AS number;
    INSERT INTO notifications (id, user_id, title, message, type, race_id, entrant_id, config_id, crossed_at)
    SELECT 'n' || race_id, 'user' || race_number, 'Out', '', 'scratching', race_id, race_id, 'c', start_time FROM races;
    INSERT INTO poll_logs (id, race_id, occurred_at, error)
    SELECT 'l' || race_id, race_id, start_time, 'FeedUnavailable' FROM races;
    INSERT INTO function_runs (id, execution_id, function, started_at)
    SELECT 'f' || race_id, '', 'f' || race_number, start_time FROM races;
    INSERT INTO jockey_silks (silk_id, svg_data) SELECT 's' || number, repeat('<path/>', 100)
    FROM generate_series(1, 5000) AS number;
    ANALYZE
"""
FEW_ROWS = frozenset({"sweeps", "daily_stages", "alert_backlog"})
"""Tables that never hold more than a page or two: reading them whole is the shortest way."""
Scans = dict[str, set["Scan"]]
"""What each statement read."""


@dataclass(frozen=True)
class Scan:
    """One reading of one table within a plan that was carried out."""

    node: str
    table: str

    @property
    def day(self) -> str | None:
        """The day of the partition that was read, None of a table without partitions."""
        partition = _PARTITION.fullmatch(self.table)
        return None if partition is None else partition["day"]


class ToldPlans:
    """What the connections of a store read, by the plans that they tell of."""

    def __init__(self) -> None:
        self._scans: Scans = {}

    def note(self, notice: Diagnostic) -> None:
        """Take a notice of the database, if it is a plan."""
        _, is_plan, text = (notice.message_primary or "").partition("  plan:\n")
        if is_plan:
            told: dict[str, Any] = json.loads(text)
            self._scans.setdefault(told["Query Text"], set()).update(_scans(told["Plan"]))

    def take(self) -> Scans:
        """Return what was read since the last time."""
        taken, self._scans = self._scans, {}
        return taken


def sequential(scans: Scans, empty: frozenset[str]) -> dict[str, set[str]]:
    """Return which statements read which tables whole; of partitions without any rows there is nothing to read."""
    found = {
        statement: {scan.table for scan in read if scan.node == "Seq Scan"} - FEW_ROWS - empty
        for statement, read in scans.items()
    }
    return {statement: tables for statement, tables in found.items() if tables}


def days_read(scans: Scans) -> dict[str, set[str]]:
    """Return the days of which statements read history, without statements that read none."""
    days = {statement: {scan.day for scan in read if scan.day is not None} for statement, read in scans.items()}
    return {statement: read for statement, read in days.items() if read}


def _scans(node: dict[str, Any]) -> Iterator[Scan]:
    if node["Node Type"].endswith("Scan") and "Relation Name" in node and node["Actual Loops"]:
        yield Scan(node["Node Type"], node["Relation Name"])
    for child in node.get("Plans", ()):
        yield from _scans(child)


def load(database_url: str) -> frozenset[str]:
    """Fill a migrated database with months of races and days of history; return the partitions that stay empty."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_LOAD.encode())
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND pg_relation_size(oid) = 0"
        ).fetchall()
    return frozenset(row[0] for row in rows)


@contextmanager
def telling_store(database_url: str, plan_cache_mode: str) -> Iterator[tuple[OneLoopStore, ToldPlans]]:
    """Open a store whose connections tell of every plan, made anew for the parameters or once for all of them."""
    name = sql.Identifier(str(conninfo_to_dict(database_url)["dbname"]))
    with psycopg.connect(database_url, autocommit=True) as connection:
        for setting, value in (_SETTINGS | {"plan_cache_mode": plan_cache_mode}).items():
            words = sql.SQL(".").join(map(sql.Identifier, setting.split(".")))
            connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, words, sql.Literal(value)))
    told = ToldPlans()
    configure = database._configure

    async def configure_and_listen(connection: AsyncConnection[tuple[Any, ...]]) -> None:
        await configure(connection)
        connection.add_notice_handler(told.note)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_configure", configure_and_listen)
        store = OneLoopStore(database_url)
        try:
            yield store, told
        finally:
            asyncio.run(store.close())
