"""The part of the server that works by itself: scheduler, alerts, and whatever recurs; everything but the API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from raceday.server.alerts import MovedRunners, alert_plan
from raceday.server.chores import Chores
from raceday.server.daily import DailyImport
from raceday.server.jobs import ServerJobs, Wakes, new_owner
from raceday.server.leases import Leases
from raceday.server.scheduler import LOOK_EVERY_S, Scheduler, follow_plan
from raceday.server.settings import ServerSettings
from raceday.server.state import ServerState
from raceday.server.world import World

CHORES_LEASE = "chores"


@dataclass(slots=True)
class Engine:
    """What one server does on its own account. To be made inside the running loop."""

    state: ServerState
    jobs: ServerJobs
    scheduler: Scheduler
    moved: MovedRunners
    leases: Leases
    chores: Chores
    _running: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to poll, and to do the chores or to stand by for them."""
        self._running = [
            asyncio.create_task(self.scheduler.run(), name="scheduler"),
            asyncio.create_task(self.moved.run(), name="alerts"),
            asyncio.create_task(self.chores.answer_wakes(), name="wakes"),
            asyncio.create_task(self.leases.lead(CHORES_LEASE, self.chores.run), name="chores"),
        ]

    async def broken(self) -> BaseException | None:
        """Wait until a part ends, which none does by itself; return why."""
        done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        ended = done.pop()
        return None if ended.cancelled() else ended.exception()

    async def stop(self) -> None:
        """Begin nothing more, let polls under way end or cut them off, and give back claims and leases."""
        for task in self._running:
            if task.get_name() == "scheduler":
                task.cancel()
        await self.scheduler.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def open_engine(
    state: ServerState, settings: ServerSettings, world: World, look_every_s: float = LOOK_EVERY_S
) -> Engine:
    """Put a server's parts together; nothing runs yet."""
    wakes = Wakes()
    jobs = ServerJobs(new_owner(), state, world, settings, wakes)
    alerts = alert_plan(settings)
    moved = MovedRunners(jobs, alerts)
    return Engine(
        state=state,
        jobs=jobs,
        scheduler=Scheduler(jobs.ports("server"), follow_plan(settings, look_every_s), state, moved.add),
        moved=moved,
        leases=Leases(state.database, state.clock, jobs.owner, state.log),
        chores=Chores(jobs, alerts, wakes, DailyImport(jobs)),
    )
