"""What the demo's day runs on: the embedded store in a file, or the stand-in Appwrite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from raceday.cli.demo_database import icon_folder
from raceday.cli.progress import REFRESH_WALL_S
from raceday.clock import Clock
from raceday.host.appwrite_bundle import open_appwrite_bundle
from raceday.host.appwrite_use import PlatformUse
from raceday.host.bundle import open_bundle
from raceday.host.host import Host
from raceday.store.ports import RaceStore
from raceday.transport import AsyncTransport

PLATFORM_REFRESH_WALL_S = 5.0
"""Counting is many calls there: a live table may not ask for it all the time."""


class Platform(StrEnum):
    """Where the functions keep what they know, and who runs them."""

    EMBEDDED = "embedded"
    """One SQLite file, and the host alone."""
    APPWRITE = "appwrite"
    """The stand-in Appwrite: everything goes through its REST API."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A host, and the store as somebody sees it who looks at the day; `use` says what the platform had to do.

    `refresh_wall_s`: how often the day may be looked at, in real seconds.
    """

    host: Host
    store: RaceStore
    transactions: Callable[[], int]
    refresh_wall_s: float = REFRESH_WALL_S
    use: PlatformUse | None = None


def open_ground(database: Path | None, clock: Clock, feed: AsyncTransport, environment: dict[str, str]) -> Ground:
    """Open the embedded store in a file, or the stand-in Appwrite without one; inside the running loop.

    Raises `ConfigError` when the database file or the manifest cannot be used.
    """
    if database is None:
        on_platform = open_appwrite_bundle(clock, feed, environment)
        use = on_platform.platform.use
        return Ground(on_platform.host, on_platform.store, use.transactions, PLATFORM_REFRESH_WALL_S, use)
    environment = environment | {"RACEDAY_ICON_FOLDER": str(icon_folder(database))}
    bundle = open_bundle(database, clock, feed, environment)
    return Ground(bundle.host, bundle.store, lambda: bundle.store.transactions)
