"""Alerts of the races that this server polls: evaluated right after the poll that moved runners.

In a queue of their own, so that no poll waits for them. What is lost when the server is killed, the sweep finds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from raceday.domain.race_poll import RacePoll
from raceday.jobs.evaluate_alerts import AlertPlan, evaluate_runners_of
from raceday.server.jobs import ServerJobs
from raceday.server.settings import ServerSettings
from raceday.store.rows.updates import moved_runners, moved_runners_text
from raceday.store.rows.values import instant_text

EVALUATE_S = 30.0
NOBODY = "-"


def alert_plan(settings: ServerSettings) -> AlertPlan:
    """Return how alerts are evaluated."""
    default_user = settings.alert_default_user
    return AlertPlan(
        default_user="" if default_user == NOBODY else default_user,
        cooldown_s=settings.alert_cooldown_s,
        deliver=bool(settings.alert_channels),
    )


@dataclass(slots=True)
class MovedRunners:
    """The polls whose runners moved, and are still to be evaluated."""

    jobs: ServerJobs
    plan: AlertPlan
    _waiting: asyncio.Queue[RacePoll] = field(default_factory=asyncio.Queue)

    def add(self, poll: RacePoll) -> None:
        """Take up a poll that was written; one that moved nobody needs nothing."""
        if poll.moved:
            self._waiting.put_nowait(poll)

    async def drained(self) -> None:
        """Wait until everything that was taken up is evaluated."""
        await self._waiting.join()

    async def run(self) -> None:
        """Evaluate one poll after the other until the task is cancelled."""
        while True:
            poll = await self._waiting.get()
            try:
                await self._evaluate(poll)
            except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others; the sweep comes by)
                self.jobs.state.log.warning("alerts_not_evaluated", race_id=poll.race.race_id, error=repr(error))
            finally:
                self._waiting.task_done()

    async def _evaluate(self, poll: RacePoll) -> None:
        at = instant_text(poll.timing.polled_at)
        row = {"$id": poll.race.race_id, "movedRunners": moved_runners_text(poll), "lastUpdated": at, "$updatedAt": at}
        async with asyncio.timeout(EVALUATE_S):
            await evaluate_runners_of(self.jobs.ports("alert-evaluator", EVALUATE_S), moved_runners(row), self.plan)
