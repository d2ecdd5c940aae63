"""Steps of the tests on partitions, archives and backups: rows of every shape, and looking at them."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from raceday.server.operations.partition_names import PartitionName

DAY = date(2026, 11, 21)
ODDS = PartitionName(DAY, "odds_history")
FLOW = PartitionName(DAY, "money_flow_history")
POLLS = PartitionName(DAY, "race_polls")
_RUNNER = """
    INSERT INTO meetings (meeting_id, meeting_name, country, race_type, category, date, status)
    VALUES ('m1', 'Ellerslie', 'NZ', 'Thoroughbred', 'T', '2026-11-21T00:00:00Z', 'active');
    INSERT INTO races (race_id, meeting_id, name, race_number, start_time, status)
    VALUES ('r1', 'm1', 'Maiden Mile', 1, '2026-11-21T03:00:00Z', 'Open');
    INSERT INTO entrants (entrant_id, race_id, name, runner_number) VALUES ('e1', 'r1', 'Runner 1', 1);
"""
_ODDS = r"""
    INSERT INTO odds_history (id, odds, event_timestamp, type, race_id, entrant_id, is_opening, time_interval)
    SELECT
        'tick-' || number,
        CASE number
            WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN 0.1::float8 + 0.2::float8 ELSE number / 7.0
        END,
        '2026-11-20T23:00:00.000001Z'::timestamptz + number * interval '1.000003 seconds', 'fixed_win',
        CASE mod(number, 3) WHEN 0 THEN NULL WHEN 1 THEN '' ELSE E'a "quoted", line\nand Ōtaki \\N' END,
        CASE mod(number, 2) WHEN 0 THEN 'e1' END,
        mod(number, 5) = 0,
        CASE mod(number, 4) WHEN 0 THEN 9007199254740993 END
    FROM generate_series(1, %s) AS number
"""
_FLOW = """
    INSERT INTO money_flow_history (id, race_id, entrant_id, type, event_timestamp, interval_type, win_pool_amount)
    SELECT
        'flow-' || number, 'r1', 'e1', 'bucketed_aggregation',
        '2026-11-21T02:00:00Z'::timestamptz + number * interval '1 second', '5m', number * 100
    FROM generate_series(1, 50) AS number
"""


def with_history(connection: psycopg.Connection[Any], rows: int = 200) -> None:
    """One runner; its odds with every value that is hard to carry, and its money, all of one day."""
    for statement in _RUNNER.split(";"):
        if statement.strip():
            connection.execute(statement.encode())
    connection.execute(_ODDS.encode(), (rows,))
    connection.execute(_FLOW.encode())


def one_price(connection: psycopg.Connection[Any], row_id: str, at: str) -> None:
    """Write one price of an instant."""
    connection.execute(
        "INSERT INTO odds_history (id, odds, event_timestamp, type) VALUES (%s, 2, %s, 'fixed_win')", (row_id, at)
    )


def rows_of(connection: psycopg.Connection[Any], table: str, schema: str = "public") -> list[str]:
    """All rows of a table as PostgreSQL writes them, in their order."""
    query = sql.SQL("SELECT kept::text FROM {} AS kept ORDER BY 1").format(sql.Identifier(schema, table))
    return [row for (row,) in connection.execute(query).fetchall()]


def tables_in(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """The tables of a schema."""
    return [
        name
        for (name,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,)
        ).fetchall()
    ]
