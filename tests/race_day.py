"""A small modelled race day for tests: the real functions, the real store, the stand-in feed, a virtual clock."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from raceday.clock import Clock
from raceday.domain.racing_day import DailyStage, stage_due_at
from raceday.host.bundle import Bundle, open_bundle
from raceday.host.virtual_time import run_virtual
from raceday.simulator.app import simulator_app
from raceday.simulator.faults import PROFILES, FaultProfile
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.request_log import RequestLog
from raceday.transport import InProcess

DAY = date(2026, 11, 22)
QUIET = {"RACEDAY_LOG_LEVEL": "ERROR", "RACEDAY_POLITENESS_S": "0"}


class DaySteps:
    """What can be done in the course of a day, on whatever platform: `bundle` has the host."""

    __slots__ = ()
    bundle: Any
    clock: Clock

    async def call(self, function_id: str, body: Mapping[str, object] | None = None) -> tuple[int, dict[str, Any]]:
        """Execute a function as a person would; return its status code and its JSON answer."""
        result = await self.bundle.host.execute(function_id, body or {})
        return result.status_code, json.loads(result.body) if result.body else {}

    async def import_card(self) -> None:
        """Run the three daily functions until the card is complete."""
        await self.call("daily-meetings")
        await self.call("daily-races")
        remaining = 1
        while remaining:
            _, report = await self.call("daily-entrants")
            remaining = report["remaining"]

    async def until(self, instant: datetime) -> None:
        """Let time pass."""
        await self.clock.sleep((instant - self.clock.now()).total_seconds())


@dataclass(slots=True)
class RaceDay(DaySteps):
    """One day in progress."""

    bundle: Bundle
    clock: Clock
    feed: SimulatedFeed
    programme: DayProgramme
    requests: RequestLog
    database: Path

    def races(self) -> list[str]:
        """The ids of the races that are followed, by start."""
        races = sorted(self.programme.imported_races(), key=lambda race: race.script.advertised_start_s(0))
        return [race.race_id for race in races]

    def start_of(self, race_id: str) -> datetime:
        """The advertised start as stored."""
        (text,) = self.rows('SELECT startTime FROM races WHERE "$id" = ?', race_id)[0]
        return datetime.fromisoformat(text)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read the database file directly, past all of our own code."""
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()


def small_programme(meetings: int, races: int, seed: int = 1) -> DayProgramme:
    """A day of so many followed meetings of at most so many races, the rest of the world left as it is."""
    programme = plan_day(DAY, seed)
    followed = [meeting for meeting in programme.meetings if meeting.is_imported][:meetings]
    kept = [replace(meeting, races=meeting.races[:races]) for meeting in followed]
    others = [meeting for meeting in programme.meetings if not meeting.is_imported]
    return replace(programme, meetings=(*kept, *others))


def run_day(
    scenario: Callable[[RaceDay], Awaitable[Any]],
    folder: Path,
    *,
    meetings: int = 1,
    races: int = 99,
    seed: int = 1,
    faults: FaultProfile = PROFILES["none"],
    environment: Mapping[str, str] | None = None,
    begins: datetime | None = None,
) -> Any:
    """Run a scenario from shortly before the day's first import."""
    programme = small_programme(meetings, races, seed)

    async def live(clock: Clock) -> Any:
        requests = RequestLog()
        feed = SimulatedFeed(programme, clock.now)
        transport = InProcess(simulator_app(feed, faults, seed, requests, clock.sleep))
        database = folder / "day.sqlite"
        bundle = open_bundle(database, clock, transport, QUIET | dict(environment or {}))
        try:
            return await scenario(RaceDay(bundle, clock, feed, programme, requests, database))
        finally:
            await bundle.host.stop(grace_s=0)
            await bundle.store.close()

    return run_virtual(live, begins or stage_due_at(DAY, DailyStage.MEETINGS) - timedelta(minutes=1))
