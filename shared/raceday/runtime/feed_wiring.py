"""Opens the feed: one pool of connections and one request budget per process, a client of it per run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from raceday.clock import Clock
from raceday.jobs.ports import RunLog
from raceday.nztab.budget import RequestBudget
from raceday.nztab.caller import FEED_DRIFT
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings
from raceday.runtime.ports import current_ports
from raceday.runtime.settings import Settings
from raceday.transport import AsyncTransport, pooled


@dataclass(slots=True)
class _FeedPool:
    """What all runs in one event loop share: connections and the right to ask."""

    budget: RequestBudget
    transport: AsyncTransport = field(default_factory=pooled)


# Connections and budgets belong to the event loop they were made in; the platform keeps one loop per process.
_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, _FeedPool] = WeakKeyDictionary()


def feed_client(settings: Settings, clock: Clock, log: RunLog) -> NzTabClient:
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
