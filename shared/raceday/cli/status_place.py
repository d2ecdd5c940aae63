"""Where `status` looks: a database file, or an Appwrite project. Looking changes neither."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from raceday.cli.demo_database import DEFAULT_DATABASE, DEMO_APPLICATION_ID
from raceday.deployment.credentials import ENDPOINT, Credentials, credentials
from raceday.errors import ConfigError, StoreUnavailable
from raceday.runtime.settings import Settings
from raceday.store.appwrite.settings import DATABASE_ID, AppwriteSettings
from raceday.store.appwrite.store import AppwriteStore
from raceday.store.ports import RaceStore
from raceday.store.sqlite.store import SqliteStore
from raceday.transport import pooled


class Place(Protocol):
    """A store to look at; `name` tells people which."""

    @property
    def name(self) -> str:
        """The file or the project."""
        ...

    def opened(self) -> AbstractAsyncContextManager[RaceStore]:
        """Open the store for the time of a look. Raises `ConfigError` when it cannot be looked at."""
        ...

    def explained(self, error: StoreUnavailable) -> ConfigError:
        """Return why a look failed, for people."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A SQLite file."""

    path: Path

    @property
    def name(self) -> str:
        """Where the file is."""
        return str(self.path)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RaceStore]:
        """Open the file so that it can only be read."""
        store = SqliteStore.open_read_only(self.path)
        try:
            yield store
        finally:
            await store.close()

    def explained(self, error: StoreUnavailable) -> ConfigError:
        """Return the file's own words."""
        return ConfigError(str(error))


@dataclass(frozen=True, slots=True)
class AppwriteProject:
    """The tables of an Appwrite project."""

    access: Credentials

    @property
    def name(self) -> str:
        """Which project it is, and where."""
        return f"{self.access.project_id} at {self.access.endpoint}"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RaceStore]:
        """Ask the project over connections of one's own."""
        settings = AppwriteSettings(self.access.endpoint, self.access.project_id, self.access.key)
        async with aclosing(pooled()) as connections:
            yield AppwriteStore.over(settings, connections)

    def explained(self, error: StoreUnavailable) -> ConfigError:
        """Ask once more, as set-up and check-up do, which say of an address, project or key what is wrong with it."""
        # The server SDK takes most of a second to import, for nothing when all goes well.
        from raceday.deployment.sdk import PlatformRefused, connect  # noqa: PLC0415

        try:
            connect(self.access).client.read(f"/tablesdb/{DATABASE_ID}/tables/races/rows")
        except ConfigError as reason:
            return reason
        except PlatformRefused:
            pass
        return ConfigError(str(error))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for by options."""

    db: Path | None = None
    appwrite: bool = False
    endpoint: str = ""
    project: str = ""
    key_file: Path | None = None

    @property
    def names_project(self) -> bool:
        """Whether any option says that it is about an Appwrite project."""
        return self.appwrite or bool(self.endpoint or self.project or self.key_file)


def place_of(wanted: Wanted, settings: Settings, environment: Mapping[str, str]) -> Place:
    """Return where to look: what options say, else the file or project of the environment, else the demo's file.

    A function chooses its store in the same order. Raises `ConfigError` when nothing is named and no demo was run.
    """
    if wanted.names_project:
        if wanted.db is not None:
            raise ConfigError("give --db for a file or --appwrite for a project: status looks at one of them")
        return AppwriteProject(credentials(environment, wanted.endpoint, wanted.project, wanted.key_file))
    if wanted.db is not None:
        return DatabaseFile(wanted.db)
    if settings.database:
        return DatabaseFile(Path(settings.database))
    if environment.get(ENDPOINT, "").strip():
        return AppwriteProject(credentials(environment))
    if DEFAULT_DATABASE.is_file():
        return DatabaseFile(DEFAULT_DATABASE)
    raise ConfigError(
        "nothing to look at: give --db or set RACEDAY_DB for a file, give --appwrite or set APPWRITE_ENDPOINT for a "
        "project, or make a file with scripts/demo"
    )


def is_of_a_demo(store: RaceStore) -> bool:
    """Whether a demo or replay made the store, by a clock of its own."""
    return isinstance(store, SqliteStore) and store.application_id == DEMO_APPLICATION_ID
