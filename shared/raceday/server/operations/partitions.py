"""The days of the history in the database: which there are, making those ahead, detaching those that are old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg
import stamina
from psycopg import sql

from raceday.errors import ConfigError, StoreUnavailable
from raceday.server.operations.connections import Connection
from raceday.server.operations.partition_names import EVENT_COLUMNS, PartitionName, parse_name

DETACHED = "detached"
"""The schema of the partitions that were taken out."""
_ATTEMPTS = 5
_ATTEMPTS_WITHIN_S = 30.0
_PARTITIONS = """
    SELECT
        child.relname, space.nspname, child.relispartition, coalesce(pg_get_expr(child.relpartbound, child.oid), ''),
        pg_total_relation_size(child.oid), coalesce(obj_description(child.oid, 'pg_class') = 'restored', false)
    FROM pg_class AS child
    JOIN pg_namespace AS space ON space.oid = child.relnamespace
    WHERE child.relkind = 'r' AND (
        space.nspname = 'detached'
        OR child.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY(%s::regclass[]))
    )
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """A day's partition, or a DEFAULT one (`name` None), as the database has it."""

    table: str
    name: PartitionName | None
    history: str
    attached: bool
    bounds: str
    rows: int
    size_bytes: int
    restored: bool


def list_partitions(connection: Connection) -> list[Partition]:
    """Return all partitions, attached and detached, DEFAULT first and then by day, with their exact rows and bytes."""
    found = []
    for table, schema, attached, bounds, size_bytes, restored in connection.execute(
        _PARTITIONS, ([*EVENT_COLUMNS],)
    ).fetchall():
        name = parse_name(table)
        history = name.history if name else table.removesuffix("_default")
        if name is None and not attached:
            continue
        counted = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        ).fetchone()
        rows = counted[0] if counted else 0
        found.append(Partition(table, name, history, attached, bounds, rows, size_bytes, restored))
    return sorted(found, key=lambda each: (each.name is not None, each.name or each.history, each.attached))


def detached_names(connection: Connection) -> list[PartitionName]:
    """Return the partitions that are detached and not dropped, the oldest first."""
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'detached'::regnamespace"
    ).fetchall()
    return sorted(name for (table,) in tables if (name := parse_name(table)) is not None)


def attached_names(connection: Connection) -> list[PartitionName]:
    """Return the days that are attached, the oldest first."""
    days = connection.execute("SELECT day, history FROM history_partitions").fetchall()
    return sorted(PartitionName(day, history) for day, history in days)


def create_partitions(connection: Connection, today: date, days_ahead: int) -> int:
    """Make what is missing of today's partitions and of so many days after it, and empty DEFAULT into its days.

    Returns how many were made.
    """
    days = [today + timedelta(days=ahead) for ahead in range(days_ahead + 1)]
    # A statement each: no lock is held longer than one day's tables take.
    made = sum(_scalar(connection, "SELECT make_history_partitions(%s, 1)", (day,)) for day in days)
    return made + _scalar(connection, "SELECT empty_default_partitions('-infinity')", ())


def make_partition(connection: Connection, history: str, day: date) -> None:
    """Make the partition of one day if it has none."""
    _scalar(connection, "SELECT make_history_partition(%s, %s)", (history, day))


def detach_before(connection: Connection, oldest_kept: date) -> list[PartitionName]:
    """Detach every day before a date, also days that only DEFAULT has rows of; returns what was detached.

    One transaction each: what was detached stays so when a later one fails. Days that were restored stay.
    """
    _scalar(connection, "SELECT empty_default_partitions('-infinity')", ())
    old = connection.execute(
        "SELECT day, history FROM history_partitions WHERE day < %s AND NOT restored ORDER BY day, history",
        (oldest_kept,),
    ).fetchall()
    return detach(connection, [PartitionName(day, history) for day, history in old])


def detach(connection: Connection, names: Sequence[PartitionName]) -> list[PartitionName]:
    """Detach these days; returns those that were attached.

    Raises `StoreUnavailable` when readers or writers keep a table locked through all tries.
    """
    return [
        name
        for name in names
        if _scalar(connection, "SELECT detach_history_partition(%s, %s)", (name.history, name.day))
    ]


def refuse_live_days(names: Sequence[PartitionName], today: date) -> None:
    """Raise `ConfigError` for a day whose races may still be polled: their next poll would miss what was taken out.

    The day before counts: its last races are run in Western Australia after midnight in New Zealand.
    """
    live = [str(name) for name in names if name.day >= today - timedelta(days=1)]
    if live:
        raise ConfigError(
            f"{', '.join(live)}: races of this day may still be polled; days before {today - timedelta(days=1)} can "
            "be detached"
        )


def _scalar(connection: Connection, statement: str, parameters: Sequence[object]) -> int:
    """Run a function of ours; one that waited too long for a lock is tried again, its waiting held up others."""
    try:
        for attempt in stamina.retry_context(
            (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected),
            attempts=_ATTEMPTS,
            timeout=_ATTEMPTS_WITHIN_S,
        ):
            with attempt:
                row = connection.execute(statement.encode(), parameters).fetchone()
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as cause:
        raise StoreUnavailable(
            "the tables are in use all the time (a long query, a backup?): what was done so far stays; try again later"
        ) from cause
    return int(row[0]) if row else 0
