"""Opens what lies on the platform: its tables and its executions, over one pool of connections per process."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from raceday.jobs.ports import RunLog
from raceday.runtime.executions import AppwriteExecutions
from raceday.runtime.ports import current_ports
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.appwrite.store import AppwriteStore
from raceday.transport import AsyncTransport, pooled

# Connections belong to the event loop they were made in; the platform keeps one loop per process.
_PLATFORM: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncTransport] = WeakKeyDictionary()


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


def platform_store(platform: AppwriteSettings, log: RunLog) -> AppwriteStore:
    """Return the platform's tables as seen by one run."""
    return AppwriteStore.over(platform, platform_connections(), lambda action, fields: log.warning(action, **fields))


def platform_executions(platform: AppwriteSettings) -> AppwriteExecutions:
    """Return what starts other functions of the platform."""
    return AppwriteExecutions(AppwriteRest(platform, platform_connections()))
