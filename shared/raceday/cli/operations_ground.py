"""What every operator's command begins with: the settings, the database, and its errors in words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import load_dotenv
from rich.markup import escape

from raceday.cli.output import errors_explained, people
from raceday.server.operations.archive_settings import load_archive_settings
from raceday.server.operations.connections import Connection, connected
from raceday.server.operations.database_place import database_at
from raceday.server.operations.object_storage import ObjectStorage
from raceday.server.settings import ServerSettings
from raceday.server.settings_sources import DOTENV, load_server_settings


@contextmanager
def database_here() -> Iterator[tuple[str, ServerSettings]]:
    """Give the connection string of the database that the server uses here, and the settings."""
    with errors_explained():
        settings = load_server_settings(os.environ, Path.cwd())
        with database_at(settings) as database_url:
            yield database_url, settings


@contextmanager
def connection_here() -> Iterator[tuple[Connection, ServerSettings]]:
    """Give a connection to the database that the server uses here, and the settings."""
    with database_here() as (database_url, settings), connected(database_url) as connection:
        yield connection, settings


def archive_here() -> ObjectStorage:
    """Return the archive that the environment or the `.env` file names; raises `ConfigError` when neither does."""
    # The storage's library looks for its credentials in the environment alone.
    load_dotenv(Path.cwd() / DOTENV, override=False)
    return ObjectStorage(load_archive_settings(os.environ))


def say(words: str) -> None:
    """Tell a person one line."""
    people.print(escape(words), highlight=False)
