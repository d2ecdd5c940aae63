"""Which database an operator's command works on: the one that the server uses here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raceday.errors import ConfigError
from raceday.server.embedded import EmbeddedPostgres
from raceday.server.settings import ServerSettings

EMBEDDED_FOLDER = "postgres"
EMBEDDED_DATABASE = "raceday"


@contextmanager
def database_at(settings: ServerSettings) -> Iterator[str]:
    """Give the connection string of `DATABASE_URL`, or of the embedded PostgreSQL, which runs meanwhile.

    Raises `ConfigError` where there is neither.
    """
    url = settings.database_url.get_secret_value()
    if url:
        yield url
        return
    folder = embedded_folder(settings)
    if not (folder / "PG_VERSION").exists():
        raise ConfigError(
            f"DATABASE_URL is not set, and {folder} holds no embedded PostgreSQL: name a database, or start the server "
            "here once"
        )
    postgres = EmbeddedPostgres.start(folder)
    try:
        yield postgres.ensure_database(EMBEDDED_DATABASE)
    finally:
        postgres.stop()


def embedded_folder(settings: ServerSettings) -> Path:
    """Return the folder of the embedded PostgreSQL's files."""
    return settings.folder / EMBEDDED_FOLDER
