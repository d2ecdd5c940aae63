"""Opens what a run works with: one pooled feed connection and one store per process, a view of each per run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from weakref import WeakKeyDictionary

from raceday.clock import Clock, SystemClock
from raceday.errors import ConfigError, ExecutionRefused
from raceday.jobs.ports import Executions, RunLog
from raceday.nztab.budget import RequestBudget
from raceday.nztab.caller import FEED_DRIFT
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings
from raceday.runtime.platform import AppwriteExecutions
from raceday.runtime.ports import current_ports
from raceday.runtime.settings import Settings
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.ports import RaceStore
from raceday.transport import AsyncTransport, pooled


@dataclass(slots=True)
class _FeedPool:
    """What all runs in one event loop share: connections and the right to ask."""

    budget: RequestBudget
    transport: AsyncTransport = field(default_factory=pooled)


# Connections and budgets belong to the event loop they were made in; the platform keeps one loop per process.
_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, _FeedPool] = WeakKeyDictionary()
_PLATFORM: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncTransport] = WeakKeyDictionary()


def open_environment() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    ports = current_ports()
    return os.environ if ports.environment is None else ports.environment


def open_clock() -> Clock:
    """Return the clock of this process."""
    return current_ports().clock or SystemClock()


def open_feed(settings: Settings, clock: Clock, log: RunLog) -> NzTabClient:
    """Return a client of the feed for one run, over the connections and the budget of the process."""
    loop = asyncio.get_running_loop()
    pool = _POOLS.get(loop)
    if pool is None:
        budget = RequestBudget(settings.feed_requests_per_s, settings.feed_burst, settings.feed_parallel)
        pool = _POOLS[loop] = _FeedPool(budget)

    def log_attempt(action: str, fields: Mapping[str, object]) -> None:
        write = log.warning if action == FEED_DRIFT or fields.get("error") is not None else log.debug
        write(action, **fields)

    feed_settings = FeedSettings(
        base_url=settings.feed_base_url,
        contact_email=settings.feed_from or None,
        partner=settings.feed_partner or None,
        partner_id=settings.feed_partner_id.get_secret_value() or None,
    )
    transport = current_ports().transport or pool.transport
    return NzTabClient(feed_settings, clock, transport=transport, budget=pool.budget, log=log_attempt)


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
    return _appwrite(platform, log)


def _appwrite(platform: AppwriteSettings, log: RunLog) -> RaceStore:
    # Imported where it is chosen: a run on the platform has no use for SQLite, one on one machine none for this.
    from raceday.store.appwrite.store import AppwriteStore  # noqa: PLC0415

    return AppwriteStore.over(platform, platform_connections(), lambda action, fields: log.warning(action, **fields))


@lru_cache(maxsize=4)
def _sqlite(path: str) -> RaceStore:
    from raceday.store.sqlite.store import SqliteStore  # noqa: PLC0415

    return SqliteStore.open(path)


def platform_connections() -> AsyncTransport:
    """Return the connections to the platform that all runs of the process share."""
    given = current_ports().platform
    if given is not None:
        return given
    loop = asyncio.get_running_loop()
    connections = _PLATFORM.get(loop)
    if connections is None:
        connections = _PLATFORM[loop] = pooled()
    return connections


def open_executions(platform: AppwriteSettings | None) -> Executions:
    """Return what starts other functions: the host, or the platform; without either it refuses to."""
    given = current_ports().executions
    if given is not None:
        return given
    return _NoPlatform() if platform is None else AppwriteExecutions(AppwriteRest(platform, platform_connections()))


class _NoPlatform:
    """Stands where no platform is."""

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:  # noqa: ARG002 (the port's shape)
        """Refuse: there is nothing here that runs functions."""
        raise ExecutionRefused(f"{function_id} cannot be started: this process runs on no platform and no host")
