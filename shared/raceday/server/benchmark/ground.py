"""Where the benchmark works: a scratch database, dropped afterwards, in the embedded PostgreSQL or in a named one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from raceday.server.embedded import EmbeddedPostgres
from raceday.store.postgres.migrate import migrate_up


@dataclass(frozen=True, slots=True)
class BenchGround:
    """A migrated scratch database, and PostgreSQL's process when it runs on this machine as our own."""

    database_url: str
    postgres_pid: int | None


@contextmanager
def bench_ground(database_url: str, day: date) -> Iterator[BenchGround]:
    """Make a scratch database with partitions around a day, on the server of a URL or an embedded one without any."""
    if database_url:
        with _scratch(database_url, day) as url:
            yield BenchGround(url, None)
        return
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as folder:
        # PostgreSQL may run as another user than we do.
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres.start(Path(folder) / "postgres")
        try:
            with _scratch(postgres.url(), day) as url:
                yield BenchGround(url, postgres.process_id)
        finally:
            postgres.stop()


@contextmanager
def _scratch(database_url: str, day: date) -> Iterator[str]:
    name = f"raceday_bench_{os.getpid()}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = make_conninfo(database_url, dbname=name)
            migrate_up(url)
            with psycopg.connect(url) as scratch:
                scratch.execute("SELECT make_history_partitions(%s, 4)", (day - timedelta(days=1),))
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
