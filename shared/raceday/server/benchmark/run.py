"""The whole benchmark of the server, and the figures that it is held against."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import uvloop

from raceday.clock import SystemClock
from raceday.domain.racing_day import racing_date
from raceday.errors import ConfigError
from raceday.server.benchmark.api import measure_api
from raceday.server.benchmark.children import child, first_line
from raceday.server.benchmark.day import load_day
from raceday.server.benchmark.ground import BenchGround, bench_ground
from raceday.server.benchmark.pipeline import SIZES, measure_pipeline, stored_anew
from raceday.server.benchmark.responses import timed_races
from raceday.server.benchmark.writes import measure_writes
from raceday.server.collector import calm_collector
from raceday.server.connections import feed_connections
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.store import PostgresStore

DAY = date(2026, 11, 22)
PARTS = ("polls", "api", "all")
LONGEST_MS_PER_RACE = 6.0
LONGEST_FAR_BATCH_MS = 600.0
LONGEST_WRITE_MS = 4.0
LONGEST_EMPTY_WRITE_MS = 1.0
LONGEST_LIST_P95_MS = 25.0
LONGEST_HISTORY_P95_MS = 100.0
LISTS = ("meetings", "races", "races/upcoming", "user-alert-configs", "notifications")
HISTORIES = ("entrants", "timeline 200")


@dataclass(frozen=True, slots=True)
class Check:
    """One figure and the most that it may be."""

    name: str
    figure: float
    most: float

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit."""
        return self.figure <= self.most

    def __str__(self) -> str:
        """Return the check as a line for people."""
        return f"{self.name}: {self.figure:g} (at most {self.most:g})"


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """What was measured: polls by size and latency, single writes, endpoints by name."""

    polls: Sequence[Mapping[str, float | int | None]] = ()
    writes: Mapping[str, float | int] = field(default_factory=dict)
    api: Mapping[str, Mapping[str, float | int]] = field(default_factory=dict)

    def checks(self) -> list[Check]:
        """Return the figures that have a limit, each with it."""
        checks = []
        for batch in self.polls:
            if batch["races"] == max(SIZES) and batch["latency_ms"] == 0:
                checks.append(Check("ms per race, 50 races at 0 ms", batch["ms_per_race"] or 0.0, LONGEST_MS_PER_RACE))
            if batch["races"] == max(SIZES) and batch["latency_ms"] == 200:
                checks.append(Check("ms for 50 races at 200 ms", batch["wall_ms"] or 0.0, LONGEST_FAR_BATCH_MS))
        if self.writes:
            checks.append(Check("ms of a write, all changed", self.writes["changed_ms"], LONGEST_WRITE_MS))
            checks.append(Check("ms of a write, nothing new", self.writes["unchanged_ms"], LONGEST_EMPTY_WRITE_MS))
        for name, figures in self.api.items():
            if name in LISTS:
                checks.append(Check(f"p95 ms of {name}", figures["p95_ms"], LONGEST_LIST_P95_MS))
            if name in HISTORIES:
                checks.append(Check(f"p95 ms of {name}", figures["p95_ms"], LONGEST_HISTORY_P95_MS))
        return checks

    def as_json(self) -> dict[str, object]:
        """Return everything as one JSON object."""
        checks = {check.name: {"figure": check.figure, "most": check.most, "met": check.met} for check in self.checks()}
        return {"polls": self.polls, "writes": self.writes, "api": self.api, "checks": checks}


def measure_server(database_url: str, moments: int, seconds: float, part: str) -> ServerFigures:
    """Measure a part of it, or all; raises `ConfigError` for a part that there is not, `StoreUnavailable` as usual."""
    if part not in PARTS:
        raise ConfigError(f"--part {part} is none of {', '.join(PARTS)}")
    polls: Sequence[Mapping[str, float | int | None]] = ()
    writes: Mapping[str, float | int] = {}
    api: Mapping[str, Mapping[str, float | int]] = {}
    if part in {"polls", "all"}:
        # As `serve` does.
        calm_collector()
        with bench_ground(database_url, DAY) as ground:
            polls, writes = uvloop.run(_measure_polls(ground, moments))
    if part in {"api", "all"}:
        now = SystemClock().now()
        with bench_ground(database_url, racing_date(now)) as ground:
            uvloop.run(_load(ground, now))
            api = measure_api(ground.database_url, ground.postgres_pid, racing_date(now), seconds)
    return ServerFigures(polls, writes, api)


async def _measure_polls(
    ground: BenchGround, moments: int
) -> tuple[Sequence[Mapping[str, float | int | None]], Mapping[str, float | int]]:
    store = await PostgresStore.open(ground.database_url)
    races = timed_races(max(SIZES), moments)
    connections = feed_connections(max(SIZES))
    with child("raceday.server.benchmark.feed_child", str(max(SIZES)), str(moments)) as feed:
        feed_url = f"http://127.0.0.1:{await asyncio.to_thread(first_line, feed)}"
        polls = await measure_pipeline(store, connections, feed_url, races, ground.postgres_pid)
    await stored_anew(store, races)
    writes = await measure_writes(store, races)
    await connections.aclose()
    await store.close()
    return polls, writes


async def _load(ground: BenchGround, now: datetime) -> None:
    database = await PostgresDatabase.open(ground.database_url)
    await load_day(database, now)
    await database.close()
