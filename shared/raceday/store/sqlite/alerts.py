"""alerts in SQLite."""

from __future__ import annotations

from raceday.store.sqlite.connection import SqliteConnection


class SqliteAlerts:
    """The operations of the port of the same name."""

    _db: SqliteConnection
