"""A small modelled race day on the stand-in Appwrite: the real functions over its REST API, on a virtual clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from race_day import QUIET, DaySteps, RaceDay, small_programme
from raceday.clock import Clock
from raceday.domain.racing_day import DailyStage, stage_due_at
from raceday.host.appwrite_bundle import AppwriteBundle, open_appwrite_bundle
from raceday.host.appwrite_use import PlatformUse
from raceday.host.virtual_time import run_virtual
from raceday.simulator.app import simulator_app
from raceday.simulator.appwrite.faults import FaultPlan
from raceday.simulator.appwrite.row_store import Row
from raceday.simulator.appwrite.tables import Table
from raceday.simulator.faults import PROFILES, FaultProfile
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme
from raceday.simulator.request_log import RequestLog
from raceday.store.tables import CATALOGUE
from raceday.transport import InProcess

OVER = {"Final", "Abandoned"}


@dataclass(slots=True)
class AppwriteDay(DaySteps):
    """One day in progress."""

    bundle: AppwriteBundle
    clock: Clock
    feed: SimulatedFeed
    programme: DayProgramme
    requests: RequestLog
    faults: FaultPlan

    async def to_the_end(self) -> None:
        """Run the bundle as the platform would until every race is over."""
        over = asyncio.Event()
        running = asyncio.create_task(self.bundle.host.run(over, grace_s=30))
        await self.clock.sleep(3600)
        while {row["status"] for row in self.rows("races")} - OVER:
            await self.clock.sleep(300)
        over.set()
        await running

    def table(self, name: str) -> Table:
        """A table of the project, past its API."""
        return self.bundle.platform.project.table("raceday-db", name)

    def rows(self, name: str) -> list[Row]:
        """The rows of a table as they are stored now; of polls, those that still wait to be written, too."""
        rows = list(self.table(name).rows.all_rows())
        if name in {"race-polls", "poll_logs"}:
            for claim in self.table("poll-claims").rows.all_rows():
                waiting = orjson.loads(str(claim["pendingRows"] or "[]"))
                rows += [row for table, row in waiting if table == name]
        return rows

    def start_of(self, race_id: str) -> datetime:
        """The advertised start as stored."""
        race = self.table("races").rows.get(race_id)
        assert race is not None
        return datetime.fromisoformat(str(race["startTime"]))

    def races_by_start(self) -> list[str]:
        """The ids of the races that were imported."""
        return [str(row["$id"]) for row in sorted(self.rows("races"), key=lambda row: str(row["startTime"]))]


def run_appwrite_day(
    scenario: Callable[[AppwriteDay], Awaitable[Any]],
    *,
    meetings: int = 1,
    races: int = 99,
    seed: int = 1,
    programme: DayProgramme | None = None,
    feed_faults: FaultProfile = PROFILES["none"],
    environment: Mapping[str, str] | None = None,
    faults: FaultPlan | None = None,
    use: PlatformUse | None = None,
) -> Any:
    """Run a scenario from shortly before the day's first import: of a small day, or of a whole programme."""
    card = programme or small_programme(meetings, races, seed)
    plan = faults or FaultPlan()

    async def live(clock: Clock) -> Any:
        requests = RequestLog()
        feed = SimulatedFeed(card, clock.now)
        transport = InProcess(simulator_app(feed, feed_faults, seed, requests, clock.sleep))
        bundle = open_appwrite_bundle(clock, transport, QUIET | dict(environment or {}), faults=plan, use=use)
        try:
            return await scenario(AppwriteDay(bundle, clock, feed, card, requests, plan))
        finally:
            await bundle.host.stop(grace_s=0)
            await bundle.store.close()

    return run_virtual(live, stage_due_at(card.racing_date, DailyStage.MEETINGS) - timedelta(minutes=1))


OF_THE_RUN = {"polledBy", "executionId", "owner"}
"""Columns that name an execution, whose ids are the host's on one side and the platform's on the other."""
OF_THE_STORE = {("races", "importedAt")}
"""When an import last wrote a race: on the platform only one that changes it does."""


def platform_tables(day: AppwriteDay, names: Iterable[str]) -> dict[str, dict[str, Row]]:
    """Tables by name, rows by id, as far as both stores mean the same by a column."""
    tables: dict[str, dict[str, Row]] = {}
    for name in names:
        columns = _compared(name)
        tables[name] = {
            str(row["$id"]): {column: _meant(column, row.get(column)) for column in columns}
            | {"$permissions": sorted(row.get("$permissions") or [])}  # type: ignore[call-overload]
            for row in day.rows(name)
        }
    return tables


def file_tables(day: RaceDay, names: Iterable[str]) -> dict[str, dict[str, Row]]:
    """The same of a day on the embedded store: truth values and lists of permissions as the platform has them."""
    tables: dict[str, dict[str, Row]] = {}
    for name in names:
        table = next(table for table in CATALOGUE if table.name == name)
        columns = _compared(name)
        truths = {column.name for column in table.columns if column.kind == "boolean"}
        # SQLite takes an unknown name in quotes for a text; only tables with row security have this column.
        permissions = '"$permissions"' if table.row_security else "'[]'"
        selected = ", ".join(f'"{column}"' for column in columns)
        rows = day.rows(f'SELECT "$id", {permissions}, {selected} FROM "{table.sql_name}"')
        tables[name] = {
            row_id: {
                column: bool(value) if column in truths and value is not None else _meant(column, value)
                for column, value in zip(columns, values, strict=True)
            }
            | {"$permissions": sorted(json.loads(allowed or "[]"))}
            for row_id, allowed, *values in rows
        }
    return tables


def _compared(name: str) -> list[str]:
    table = next(table for table in CATALOGUE if table.name == name)
    return [
        column.name
        for column in table.columns
        if column.name not in OF_THE_RUN and (name, column.name) not in OF_THE_STORE
    ]


def _meant(column: str, value: Any) -> Any:
    """A value as it is compared: in a snapshot's JSON the embedded store has 5.0 where the platform has 5."""
    return json.loads(value) if column == "runners" else value
