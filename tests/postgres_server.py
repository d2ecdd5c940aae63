"""A PostgreSQL for the tests: one server for each worker, and a database of its own for each test that asks."""

from __future__ import annotations

import os
import signal
import tempfile
from itertools import count
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from raceday.server.embedded import EmbeddedPostgres
from raceday.store.postgres.migrate import migrate_up

TEMPLATE = "raceday_template"
FIRST_DAY = "2026-11-20"
DAYS = 6
"""The example races of the suite run on 22 November 2026."""


class TestServer:
    """An embedded PostgreSQL that does not wait for its disk; databases are copied from a migrated template."""

    __test__ = False

    def __init__(self) -> None:
        # Not in pytest's own folder: that is its user's alone, and where tests run as root PostgreSQL is somebody else.
        self._folder = tempfile.TemporaryDirectory(prefix="raceday-postgres-")
        Path(self._folder.name).chmod(0o755)
        self.postgres = EmbeddedPostgres.start(Path(self._folder.name) / "files")
        self._numbers = count(1)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")
        template = self.postgres.ensure_database(TEMPLATE)
        migrate_up(template)
        with psycopg.connect(template) as connection:
            connection.execute("SELECT make_history_partitions(%s, %s)", (FIRST_DAY, DAYS))

    def new_database(self, template: str = TEMPLATE) -> str:
        """Return the URL of a new database, migrated and with partitions, or empty (`template1`)."""
        name = f"raceday_test_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self.postgres.url(name)

    def execute(self, statement: str | sql.Composed) -> None:
        """Run a statement that concerns the whole server."""
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            connection.execute(statement.encode() if isinstance(statement, str) else statement)

    def stop(self) -> None:
        """Stop it at once, for nothing of it is kept, and remove its files."""
        process_id = self.postgres.process_id
        if process_id is not None and psutil.pid_exists(process_id):
            os.kill(process_id, signal.SIGQUIT)
            psutil.Process(process_id).wait(10)
        self.postgres.stop()
        self._folder.cleanup()
