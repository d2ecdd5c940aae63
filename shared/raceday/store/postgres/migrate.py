"""Brings a database's schema to a version, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from raceday.errors import ConfigError, StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "schema_migrations"
BASE = "base"
"""Alembic's name for a database without any of the migrations."""
CONNECT_TIMEOUT_S = 5
LOCK_TIMEOUT_S = 4
"""A migration that finds a table in use gives way to whoever uses it, and is tried again by the server that starts."""
MIGRATION_LOCK = 7_246_225_001
"""The advisory lock that lets one server migrate while the others wait for it."""


def migrate_up(database_url: str, version: str = "head") -> None:
    """Bring the schema forward to a version (`0003`), by default the newest; nothing happens when it is there already.

    Servers that start at once wait for each other. Raises `StoreUnavailable` when the database does not answer, or one
    that migrates or holds a table does not come to its end within `LOCK_TIMEOUT_S`: then it may be tried again;
    `ConfigError` when it refuses or was migrated by a newer RaceDay.
    """
    _run(database_url, lambda config: command.upgrade(config, version))


def migrate_down(database_url: str, version: str) -> None:
    """Take the schema back to a version, `base` for nothing at all: rows of what goes are lost.

    Raises `ConfigError` for a version that there is no way back to, and what `migrate_up` raises.
    """
    refuse_unreachable(schema_version(database_url), version)
    _run(database_url, lambda config: command.downgrade(config, version))


def refuse_unreachable(current: str | None, version: str) -> None:
    """Raise `ConfigError` unless a schema at `current` can be taken back to `version`."""
    if current is None:
        raise ConfigError("the database has no schema of RaceDay, it was never migrated: there is nothing to take back")
    earlier = [BASE, *(known for known in all_versions() if known <= current)]
    if version not in earlier:
        raise ConfigError(
            f"the schema is at {current} and cannot go back to {version}: choose one of {', '.join(earlier)}"
        )


def all_versions() -> list[str]:
    """Return every version that this RaceDay knows, the first one first."""
    return sorted(str(script.revision) for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def schema_version(database_url: str) -> str | None:
    """Return how far the database has come, None for one that was never migrated."""
    with _connection(database_url) as connection:
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def newest_version() -> str:
    """Return the version that this RaceDay works with."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def _run(database_url: str, steps: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _connection(database_url) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        try:
            _refuse_newer(connection)
            config.attributes["connection"] = connection
            steps(config)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()


def _refuse_newer(connection: Connection) -> None:
    version = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    connection.rollback()
    if version is not None and version > newest_version():
        raise ConfigError(
            f"the database has schema {version}, this RaceDay knows up to {newest_version()}: run the newer one, or "
            "take the schema back with it first"
        )


def _connect(database_url: str) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(database_url, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True)
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_TIMEOUT_S}s",))
    connection.autocommit = False
    return connection


@contextmanager
def _connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(database_url),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            yield connection
    except psycopg.OperationalError as cause:
        raise StoreUnavailable(f"the database does not answer: {cause}") from cause
    except DBAPIError as cause:
        if isinstance(cause.orig, psycopg.OperationalError):
            raise StoreUnavailable(f"the database does not answer: {cause.orig}") from cause
        raise ConfigError(f"the database refuses the schema: {cause.orig}") from cause
    finally:
        engine.dispose()
