"""Opens what a run works with: the feed, the store, other functions; the host's where it gives any.

What is opened is imported where it is chosen: a run on the platform has no use for SQLite, one on one machine none for
the platform, and a third of the functions never ask the feed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from raceday.clock import Clock, SystemClock
from raceday.errors import ConfigError, ExecutionRefused
from raceday.runtime.ports import current_ports

if TYPE_CHECKING:
    from raceday.domain.meeting import Meeting
    from raceday.domain.race import Race
    from raceday.domain.race_poll import RaceEvent
    from raceday.jobs.ports import Executions, Feed, RunLog
    from raceday.runtime.settings import Settings
    from raceday.store.appwrite.settings import AppwriteSettings
    from raceday.store.ports import RaceStore


def open_environment() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    ports = current_ports()
    return os.environ if ports.environment is None else ports.environment


def open_clock() -> Clock:
    """Return the clock of this process."""
    return current_ports().clock or SystemClock()


def open_feed(settings: Settings, clock: Clock, log: RunLog) -> Feed:
    """Return the feed as asked by one run."""
    from raceday.runtime.feed_wiring import feed_client  # noqa: PLC0415

    return feed_client(settings, clock, log)


def open_store(settings: Settings, platform: AppwriteSettings | None, log: RunLog) -> RaceStore:
    """Return the store as seen by one run: an SQLite file where one is named, else the platform's tables.

    Raises `ConfigError` when there is neither.
    """
    given = current_ports().store
    if given is not None:
        return given.session()
    if settings.database:
        return _sqlite(settings.database).session()
    if platform is None:
        raise ConfigError(
            "there is nowhere to keep races: set RACEDAY_DB to the path of an SQLite file, or APPWRITE_ENDPOINT, "
            "APPWRITE_PROJECT_ID and APPWRITE_API_KEY to an Appwrite project"
        )
    from raceday.runtime.platform_wiring import platform_store  # noqa: PLC0415

    return platform_store(platform, log)


@lru_cache(maxsize=4)
def _sqlite(path: str) -> RaceStore:
    from raceday.store.sqlite.store import SqliteStore  # noqa: PLC0415

    return SqliteStore.open(path)


def open_executions(platform: AppwriteSettings | None) -> Executions:
    """Return what starts other functions: the host, or the platform; without either it refuses to."""
    given = current_ports().executions
    if given is not None:
        return given
    if platform is None:
        return _NoPlatform()
    from raceday.runtime.platform_wiring import platform_executions  # noqa: PLC0415

    return platform_executions(platform)


class _NoFeed:
    """Stands where a function never asks the feed: the table of functions says which do."""

    calls = 0

    async def meetings(self, date_from: date, date_to: date) -> Sequence[tuple[Meeting, Sequence[Race]]]:  # noqa: ARG002 (the port's shape)
        """Refuse."""
        raise _never_asked()

    async def meeting(self, meeting_id: str) -> tuple[Meeting, Sequence[Race]]:  # noqa: ARG002 (the port's shape)
        """Refuse."""
        raise _never_asked()

    async def event(self, race_id: str, *, with_price_history: bool) -> RaceEvent:  # noqa: ARG002 (the port's shape)
        """Refuse."""
        raise _never_asked()


def _never_asked() -> ConfigError:
    return ConfigError("this function was said never to ask the feed: give it `asks_feed` in raceday.runtime.functions")


NO_FEED: Feed = _NoFeed()


class _NoPlatform:
    """Stands where no platform is."""

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:  # noqa: ARG002 (the port's shape)
        """Refuse: there is nothing here that runs functions."""
        raise ExecutionRefused(f"{function_id} cannot be started: this process runs on no platform and no host")
