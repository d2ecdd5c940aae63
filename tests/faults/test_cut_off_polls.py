"""Runs that are cut off while the platform hangs: they end within the platform's patience, and say why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from contract.appwrite_store import SECRET, StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import START, event, meeting, race
from contract.store_steps import IMPORTED
from raceday.clock import Clock
from raceday.domain.cadence import ENHANCED
from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
from raceday.domain.race_poll import RaceEvent
from raceday.errors import FeedUnavailable
from raceday.host.context import Context, Request
from raceday.host.execution_log import ExecutionLog
from raceday.host.virtual_time import run_virtual
from raceday.jobs.poll_races import PollPlan, PollTally, poll_races
from raceday.jobs.poll_together import poll_together
from raceday.jobs.report import RunReport
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.handler import Run, run_function
from raceday.runtime.ports import ProcessPorts, using

NOW = START - timedelta(minutes=30)
RACES = [race(number, advertised_start=START) for number in range(1, 9)]
FUNCTION = "master-race-scheduler"
PATIENCE_S = FUNCTIONS[FUNCTION].timeout_s
"""From then on the platform ends the run itself: no answer, no summary, a failed execution."""
Poller = Callable[..., Awaitable[PollTally]]


@dataclass
class LateFeed:
    """Answers after so many seconds, or then says that it cannot."""

    clock: Clock
    takes_s: float
    fails: bool = False
    calls: int = 0

    async def event(self, race_id: str, *, with_price_history: bool) -> RaceEvent:
        await self.clock.sleep(self.takes_s)
        if self.fails:
            raise FeedUnavailable("no answer")
        return event(next(of for of in RACES if of.race_id == race_id), self.clock.now())

    async def meeting(self, meeting_id: str) -> tuple[Meeting, Sequence[Race]]:
        return meeting(), RACES

    async def meetings(self, date_from: date, date_to: date) -> Sequence[tuple[Meeting, Sequence[Race]]]:
        return [(meeting(), RACES)]


@dataclass
class HangingPlatform(httpx.AsyncBaseTransport):
    """Answers until an instant; what is asked later gets no answer in any time."""

    store: StandInStore
    clock: Clock
    hangs_from: datetime

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.clock.now() >= self.hangs_from:
            await asyncio.sleep(3600)
        return await self.store._rest._connections.handle_async_request(request)


@dataclass
class Ran:
    """What the caller and the log were told, after so many seconds, and the store as it is then."""

    status: int
    answer: dict[str, Any]
    took_s: float
    lines: list[dict[str, Any]]
    store: StandInStore


def ran(poller: Poller, feed_takes_s: float, hangs_after_s: float, *, fails: bool = False) -> Ran:
    """Run a function that polls eight races while the platform hangs from some second on."""
    runs: list[Ran] = []

    async def scenario(clock: Clock) -> None:
        store = open_appwrite_store()
        await store.save_meetings([meeting()], IMPORTED)
        await store.save_races(RACES, IMPORTED)
        began = clock.now()
        platform = HangingPlatform(store, clock, began + timedelta(seconds=hangs_after_s))
        environment = {
            "APPWRITE_ENDPOINT": "http://appwrite.test/v1",
            "APPWRITE_PROJECT_ID": store.project.project_id,
            "APPWRITE_API_KEY": SECRET,
        }
        written = ExecutionLog(enabled=True)

        async def job(run: Run) -> RunReport:
            ports = replace(run.ports, feed=LateFeed(clock, feed_takes_s, fails))
            targets = await ports.store.poll_targets([of.race_id for of in RACES])
            plan = PollPlan(ENHANCED, clock.now() + timedelta(seconds=50), rounds=1, force=True, concurrency=10)
            await poller(ports, targets, plan)
            return ports.report

        context = Context(Request(b"", {"x-appwrite-execution-id": "run-1"}), written)
        with using(ProcessPorts(clock=clock, platform=platform, environment=environment)):
            response: Any = await run_function(context, FUNCTION, job)
        took_s = (clock.now() - began).total_seconds()
        told = [json.loads(line) for line in (written.logs + written.errors).splitlines()]
        runs.append(Ran(response["statusCode"], json.loads(response["body"]), took_s, told, store))

    run_virtual(scenario, NOW)
    return runs[0]


@pytest.mark.parametrize("poller", [poll_races, poll_together])
def test_a_platform_that_hangs_while_polls_are_written_does_not_keep_a_run_beyond_its_time(poller: Poller) -> None:
    run = ran(poller, feed_takes_s=15, hangs_after_s=14)
    assert run.took_s < PATIENCE_S
    assert run.status == 504
    assert "unexpected_error" not in {line["action"] for line in run.lines}
    assert appwrite_rows(run.store, "race-polls") == []


@pytest.mark.parametrize("poller", [poll_races, poll_together])
def test_a_platform_that_hangs_while_polls_are_given_up_does_not_either(poller: Poller) -> None:
    run = ran(poller, feed_takes_s=10, hangs_after_s=9, fails=True)
    assert run.took_s < PATIENCE_S
    assert (run.status, run.answer["failed"]) == (502, len(RACES)), "each is counted, none waits for the others"


def test_a_ledger_that_cannot_be_written_does_not_keep_a_run_beyond_its_time() -> None:
    async def waits(ports: Any, targets: Any, plan: Any) -> PollTally:
        await ports.clock.sleep(54)
        return PollTally(ports.report)

    run = ran(waits, feed_takes_s=1, hangs_after_s=50)
    assert (run.status, run.took_s < PATIENCE_S) == (200, True)
    assert "run_not_logged" in {line["action"] for line in run.lines}
