"""`bench appwrite-calls`: how many requests to the platform a poll takes, counted where they arrive."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from raceday.cli.output import errors_explained, people, print_json
from raceday.domain.cadence import ENHANCED
from raceday.domain.race import Race
from raceday.domain.race_poll import RacePoll
from raceday.domain.racing_day import NZ
from raceday.errors import RaceDayError
from raceday.host.appwrite_project import deployed_project
from raceday.host.bundle import project_manifest
from raceday.jobs.poll_races import PollPlan, PollTally, poll_races
from raceday.jobs.poll_together import poll_together
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.nztab.client import NzTabClient
from raceday.nztab.responses import parse_event
from raceday.nztab.settings import FeedSettings
from raceday.runtime.log import JsonLog
from raceday.runtime.wiring import open_executions
from raceday.simulator.app import simulator_app
from raceday.simulator.appwrite.app import appwrite_app
from raceday.simulator.appwrite.call_log import CallLog
from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.appwrite.store import AppwriteStore
from raceday.transport import InProcess

BATCH = 10
LOOKS = 12
LOOK_EVERY_S = 30.0
UNCHANGED_AFTER_S = 1.0
"""The stand-in feed, as the real one, says nothing new within a second."""
SECRET = "bench"  # noqa: S105 (of a stand-in in this process)


def appwrite_calls(
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Count the requests of polls against a stand-in platform: with news, without, and ten races together."""
    with errors_explained():
        measured = asyncio.run(measure_calls())
    table = Table(title="Requests to the platform for one race", title_justify="left")
    table.add_column("")
    table.add_column("calls", justify="right")
    for name, calls in measured.items():
        table.add_row(name.replace("_", " "), f"{calls:g}")
    people.print(table)
    if as_json:
        print_json(measured)


async def measure_calls() -> dict[str, float]:
    """Return the most calls that a poll took, of each kind, and the median of what the original would have made.

    Counted is everything between choosing the race and the end of its claim; a run also writes its own row once.
    """
    bench = _Bench()
    await bench.import_card()
    counted: dict[str, list[float]] = {"changed": [], "unchanged": [], "batch": []}
    original: list[int] = []
    for _ in range(LOOKS):
        bench.clock.instant += timedelta(seconds=LOOK_EVERY_S)
        for race in bench.races:
            polls, calls = await bench.poll([race], together=False)
            counted["changed" if polls[0].changed else "unchanged"].append(calls)
            original += [original_calls(poll) for poll in polls if poll.changed]
        bench.clock.instant += timedelta(seconds=UNCHANGED_AFTER_S)
        for race in bench.races:
            polls, calls = await bench.poll([race], together=False)
            counted["changed" if polls[0].changed else "unchanged"].append(calls)
        bench.clock.instant += timedelta(seconds=LOOK_EVERY_S)
        polls, calls = await bench.poll(bench.races, together=True)
        counted["batch"].append(calls / len(polls))
    return {
        "calls_per_changed_poll": max(counted["changed"]),
        "calls_per_unchanged_poll": max(counted["unchanged"]),
        "calls_per_race_batch10": round(max(counted["batch"]), 2),
        "original_calls": statistics.median(original),
    }


def original_calls(poll: RacePoll) -> int:
    """Return the database calls of the original system for the same poll: 6 + 2N + 5M + k.

    N runners, M runners in the money tracker, k changed prices (counted in its code; of the tracker's foreign ids,
    for which it calls too, nothing is known here).
    """
    return 6 + 2 * len(poll.runners) + 5 * len(poll.holds) + len(poll.odds_ticks)


@dataclass(slots=True)
class _BenchClock:
    """Moves when it is told to, and when somebody sleeps."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    async def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=max(0.0, seconds))


class _Bench:
    """A stand-in platform, a stand-in feed, and ten races of ordinary size."""

    def __init__(self) -> None:
        self.clock = _BenchClock(datetime(2026, 11, 21, 20, 0, tzinfo=UTC))
        self.races: list[Race] = []
        self._calls = CallLog()
        self._runs = 0
        manifest = project_manifest()
        project = deployed_project(manifest, self.clock.instant)
        project.keys.add(SECRET)
        self._platform = InProcess(appwrite_app(project, self.clock, requests=self._calls))
        self._settings = AppwriteSettings("http://appwrite.test/v1", project.project_id, SECRET, manifest.database_id)
        self._programme = plan_day(self.clock.instant.astimezone(NZ).date())
        self._feed = SimulatedFeed(self._programme, self.clock.now)
        self._feed_app = InProcess(simulator_app(self._feed, sleep=self.clock.sleep))

    async def import_card(self) -> None:
        """Store ten races, poll each for the first time, and go to six minutes before the first of them."""
        self.races = self._ordinary_races()
        for race in self.races:
            await self._store().save_races([race], self.clock.instant)
        await self.poll(self.races, together=True)
        first = min(race.advertised_start for race in self.races)
        self.clock.instant = first - timedelta(minutes=18)

    async def poll(self, races: Sequence[Race], *, together: bool) -> tuple[list[RacePoll], int]:
        """Poll races once in a run of their own; return the polls and the requests that they took."""
        self._calls.calls.clear()
        store = self._store()
        plan = PollPlan(ENHANCED, self.clock.instant + timedelta(seconds=60), rounds=1, force=True)
        targets = await store.poll_targets([race.race_id for race in races])
        run = poll_together if together else poll_races
        tally: PollTally = await run(self._ports(store), targets, plan)
        if len(tally.polls) != len(races):
            raise RaceDayError(f"{len(tally.polls)} of {len(races)} races were polled: {tally.report.first_failure}")
        return tally.polls, len(self._calls.calls)

    def _ports(self, store: AppwriteStore) -> JobPorts:
        self._runs += 1
        feed = NzTabClient(FeedSettings("http://feed.test/affiliates/v1"), self.clock, transport=self._feed_app)
        return JobPorts(
            function="bench",
            owner=f"run-{self._runs}",
            feed=feed,
            store=store,
            clock=self.clock,
            executions=open_executions(None),
            log=JsonLog(people.print, people.print, "ERROR"),
            deadline=Deadline.after(self.clock, 3600),
            report=RunReport(),
        )

    def _store(self) -> AppwriteStore:
        return AppwriteStore.over(self._settings, self._platform)

    def _ordinary_races(self) -> list[Race]:
        chosen: list[Race] = []
        for meeting in self._programme.meetings:
            for planned in meeting.races if meeting.is_imported else ():
                body = self._feed.event(planned.race_id, EventOptions())
                event = parse_event(body, self.clock.now()) if body is not None else None
                if event is not None and 11 <= len(event.entrants) <= 13:
                    chosen.append(event.race)
        chosen.sort(key=lambda race: race.advertised_start)
        return chosen[:BATCH]
