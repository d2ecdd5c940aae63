"""A small modelled day on the server's engine over a real PostgreSQL, in virtual time, with any number of servers."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from race_day import DAY, small_programme
from raceday.clock import Clock, SystemClock
from raceday.domain.racing_day import NZ
from raceday.host.virtual_time import VirtualTimeLoop, run_virtual
from raceday.server.daily import INITIALISATION
from raceday.server.engine import Engine, open_engine
from raceday.server.log import open_log
from raceday.server.settings import FeedChoice, ServerSettings
from raceday.server.state import ServerState
from raceday.server.world import open_world
from raceday.simulator.app import simulator_app
from raceday.simulator.faults import PROFILES, FaultProfile
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme
from raceday.simulator.request_log import RequestLog
from raceday.store.postgres.database import PoolLimits
from raceday.store.postgres.store import PostgresStore
from raceday.transport import InProcess

POOL = PoolLimits(largest=10, smallest=4, idle_s=1e6)


def six_o_clock(day: date) -> datetime:
    """The instant at which the day's import falls due."""
    return datetime.combine(day, INITIALISATION, NZ).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ClockAhead:
    """The clock of a machine that is so many seconds ahead of the others (negative: behind)."""

    right: Clock
    ahead_s: float

    def now(self) -> datetime:
        """Return what this machine takes for the current instant."""
        return self.right.now() + timedelta(seconds=self.ahead_s)

    async def sleep(self, seconds: float) -> None:
        """Wait: a second is a second everywhere."""
        await self.right.sleep(seconds)


class GatedFeed(InProcess):
    """A way to the feed whose gate can be shut: who asks then waits, or with `refusing` is cut off at once."""

    def __init__(self, feed: InProcess) -> None:
        """Begin open."""
        super().__init__(self._pass)
        self._feed = feed
        self.gate = asyncio.Event()
        self.gate.set()
        self.refusing = False

    async def handle_async_request(self, request: Any) -> Any:
        """Send one request through, once the gate is open."""
        await self.gate.wait()
        if self.refusing:
            return await super().handle_async_request(request)
        return await self._feed.handle_async_request(request)

    async def _pass(self, *_asgi: object) -> None:
        raise ConnectionResetError


@dataclass(slots=True)
class ServerDay:
    """One day in progress: a database, a feed, and the means to put servers on them."""

    url: str
    folder: Path
    clock: Clock
    programme: DayProgramme
    feed: SimulatedFeed
    requests: RequestLog
    transport: InProcess
    store: PostgresStore
    lines: io.StringIO

    async def server(
        self, look_every_s: float = 2.0, feed: GatedFeed | None = None, ahead_s: float = 0.0, **settings: object
    ) -> Engine:
        """Return one more server on the database, with a pool and a clock of its own; it is not started."""
        clock = ClockAhead(self.clock, ahead_s)
        configured = ServerSettings.model_validate(
            {"feed": FeedChoice.SIMULATOR, "icon_folder": str(self.folder / "icons"), "politeness_s": 0.0} | settings
        )
        log = open_log(configured, clock, self.lines)
        limits = replace(POOL, largest=configured.pool_max, smallest=min(POOL.smallest, configured.pool_max))
        store = await PostgresStore.open(self.url, limits, stand_still())
        state = ServerState(store.database, store, clock, log, started_at=clock.now())
        world = open_world(configured, clock, feed or self.transport)
        return open_engine(state, configured, world, look_every_s)

    def gated_feed(self) -> GatedFeed:
        """Return a way to the feed that can be shut."""
        return GatedFeed(self.transport)

    def logged(self, action: str) -> list[dict[str, Any]]:
        """Return what the servers have logged under a name."""
        lines = [json.loads(line) for line in self.lines.getvalue().splitlines()]
        return [line for line in lines if line["action"] == action]

    async def until(self, instant: datetime) -> None:
        """Let time pass."""
        await self.clock.sleep((instant - self.clock.now()).total_seconds())

    async def until_over(self, every_s: float = 300.0) -> None:
        """Let time pass until every race is over."""
        await self.until(self.programme.last_moment())
        while not all(race.status.terminal for race in await self.store.races_on(self.programme.racing_date)):
            await self.clock.sleep(every_s)

    async def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read the database past all of our own code."""
        return await self.store.database.tuples(sql, parameters)


def stand_still() -> Any:
    """Return what makes the running loop's time stand still, if its time can."""
    loop = asyncio.get_running_loop()
    return loop.standing_still if isinstance(loop, VirtualTimeLoop) else nullcontext


async def open_day(
    url: str, folder: Path, clock: Clock, programme: DayProgramme, faults: FaultProfile = PROFILES["none"]
) -> ServerDay:
    """Open a day on a database."""
    requests = RequestLog()
    feed = SimulatedFeed(programme, clock.now)
    transport = InProcess(simulator_app(feed, faults, 1, requests, clock.sleep))
    store = await PostgresStore.open(url, POOL, stand_still())
    return ServerDay(url, folder, clock, programme, feed, requests, transport, store, io.StringIO())


def run_server_day(
    scenario: Callable[[ServerDay], Awaitable[Any]],
    url: str,
    folder: Path,
    *,
    meetings: int = 1,
    races: int = 3,
    begins: datetime | None = None,
    faults: FaultProfile = PROFILES["none"],
) -> Any:
    """Run a scenario on a small day, from the hour of its import on, in virtual time."""
    programme = small_programme(meetings, races)

    async def live(clock: Clock) -> Any:
        day = await open_day(url, folder, clock, programme, faults)
        try:
            return await scenario(day)
        finally:
            await day.store.close()

    return run_virtual(live, begins or six_o_clock(DAY))


def run_now(scenario: Callable[[ServerDay], Awaitable[Any]], url: str, folder: Path, programme: DayProgramme) -> Any:
    """Run a scenario in real time on a day that is made for this moment."""

    async def live() -> Any:
        day = await open_day(url, folder, SystemClock(), programme)
        try:
            return await scenario(day)
        finally:
            await day.store.close()

    return asyncio.run(live())


async def closed(*engines: Engine) -> None:
    """Stop servers and close their pools."""
    for engine in engines:
        await engine.stop()
        await engine.state.store.close()


async def killed(engine: Engine) -> None:
    """End a server as a power cut does: from this moment on nothing of it reaches the database."""
    await engine.state.store.close()
    await engine.stop()


def first_start(programme: DayProgramme) -> datetime:
    """The advertised start of the day's first followed race."""
    return datetime.fromtimestamp(min(race.script.first_start_s for race in programme.imported_races()), UTC)
