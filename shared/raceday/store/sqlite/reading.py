"""Opens a database file to look at it: nothing is made, added or changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from raceday.errors import ConfigError
from raceday.store.tables import CATALOGUE


def connect_read_only(path: str, timeout_s: float) -> sqlite3.Connection:
    """Return a connection that can only read; raises `ConfigError` when there is no such file, `sqlite3.Error` else."""
    if not Path(path).is_file():
        raise ConfigError(f"{Path(path).absolute()} does not exist, and looking makes no database")
    return sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, timeout=timeout_s, isolation_level=None
    )


def require_schema(connection: sqlite3.Connection, path: str) -> None:
    """Raise `ConfigError` when the file lacks a table or column that the catalogue has: reading cannot add it."""
    lacking = []
    for table in CATALOGUE:
        stored = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table.sql_name})")}
        lacking += [f"{table.name}.{column.name}" for column in table.columns if column.name not in stored]
    if len(lacking) == sum(len(table.columns) for table in CATALOGUE):
        raise ConfigError(f"{path} holds none of RaceDay's tables: name a database that its functions write")
    if lacking:
        raise ConfigError(
            f"{path} was made by an older RaceDay: it lacks {lacking[0]} and {len(lacking) - 1} more columns. "
            "The next run of a function adds them; a demo's or replay's is made anew by running it again"
        )
