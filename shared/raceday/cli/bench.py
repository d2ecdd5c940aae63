"""`bench`: what things cost, in CPU time, one JSON line each."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from raceday.cli.bench_alerts import alerts
from raceday.cli.bench_appwrite import appwrite_calls
from raceday.cli.bench_cold_start import cold_start
from raceday.cli.bench_server import server
from raceday.cli.output import errors_explained, people, print_json
from raceday.domain.derive import derive_poll
from raceday.domain.race import Race
from raceday.domain.race_poll import PollTiming
from raceday.domain.racing_day import NZ
from raceday.errors import ConfigError
from raceday.nztab.drift import DriftCounter
from raceday.nztab.mapping import event_from
from raceday.nztab.responses import parse_event
from raceday.nztab.salvage import validated
from raceday.nztab.schema_event import EventResponse
from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.replay import CapturedFeed
from raceday.store.sqlite.store import SqliteStore

bench = typer.Typer(name="bench", no_args_is_help=True, help="Measure what things cost.")
bench.command()(alerts)
bench.command()(appwrite_calls)
bench.command()(cold_start)
bench.command()(server)

STAGES = ("parse", "map", "state", "derive", "save")
"""What a poll costs beside the network: bytes to schema, schema to domain, read the state, derive, write."""


@bench.callback()
def benches() -> None:
    """Measure what things cost."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response body to be polled with, as received at `at`."""

    body: bytes
    at: datetime


@bench.command()
def poll(
    captures: Annotated[
        Path | None,
        typer.Option(envvar="RACEDAY_CORPUS", help="folder of captured responses (default: RACEDAY_CORPUS)"),
    ] = None,
    races: Annotated[int, typer.Option(min=1, help="modelled races to poll")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Measure the CPU time of one poll, stage by stage, for modelled and for captured events."""
    with errors_explained():
        measured = {"simulated": measure_polls(modelled_responses(races))}
        if captures is not None:
            measured["captured"] = measure_polls(captured_responses(captures))
    _show(measured)
    if as_json:
        print_json(measured)


def modelled_responses(races: int) -> list[Response]:
    """Return what the stand-in feed answers for some races of 11 to 13 runners, every 30 s in their last 6 minutes."""
    at = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    programme = plan_day(at.astimezone(NZ).date())
    feed = SimulatedFeed(programme, lambda: at)
    responses = []
    for race in _ordinary_races(programme, feed, races):
        for step in range(12):
            at = race.advertised_start - timedelta(seconds=30 * (12 - step))
            body = feed.event(race.race_id, EventOptions(money_tracker=True, tote_trends=True, will_pays=True))
            if body is not None:
                responses.append(Response(body, at))
    return responses


def captured_responses(directory: Path) -> list[Response]:
    """Return every captured event below a directory, in the order of capture; raises `ConfigError` for none."""
    if not directory.is_dir():
        raise ConfigError(f"--captures {directory} is not a folder")
    feed = CapturedFeed.load(directory)
    captures = [capture for event_id in feed.event_ids() for capture in feed.captures(event_id)]
    if not captures:
        raise ConfigError(f"no captured event was found below {directory}")
    ordered = sorted(captures, key=lambda capture: capture.generated_at)
    return [Response(capture.body, capture.generated_at) for capture in ordered]


def measure_polls(responses: Sequence[Response]) -> dict[str, float | int]:
    """Return the median CPU milliseconds of each stage and of a whole poll, polls per CPU second and sizes."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore.open(Path(folder) / "bench.sqlite")
        timings = asyncio.run(_poll_all(store, responses))
    medians = {f"{stage}_ms": round(statistics.median(timing[stage] for timing in timings), 3) for stage in STAGES}
    totals = [sum(timing.values()) for timing in timings]
    return {
        "polls": len(responses),
        "median_body_kb": round(statistics.median(len(response.body) for response in responses) / 1024, 1),
        **medians,
        "total_ms": round(statistics.median(totals), 3),
        "total_p95_ms": round(sorted(totals)[int(0.95 * len(totals))], 3),
        "polls_per_s": round(1000 * len(totals) / sum(totals), 1),
    }


async def _poll_all(store: SqliteStore, responses: Sequence[Response]) -> list[dict[str, float]]:
    stored: set[str] = set()
    timings = []
    for number, response in enumerate(responses):
        race = parse_event(response.body, response.at).race
        if race.race_id not in stored:
            await store.save_races([race], response.at)
            stored.add(race.race_id)
        timings.append(await _poll_once(store, response, race, number))
    await store.close()
    return timings


async def _poll_once(store: SqliteStore, response: Response, race: Race, number: int) -> dict[str, float]:
    (target,) = await store.poll_targets([race.race_id])
    (claim,) = await store.claim_races([target], f"bench-{number}", response.at, 60)
    watch = _StageWatch()
    drift = DriftCounter()
    schema = validated(EventResponse, response.body, drift)
    watch.lap("parse")
    event = event_from(schema, response.at, drift, with_price_history=target.last_poll_at is None)
    watch.lap("map")
    states = await store.race_states([race.race_id])
    watch.lap("state")
    derived = derive_poll(event, states[race.race_id], PollTiming(response.at, response.at, 30, latency_ms=0))
    watch.lap("derive")
    await store.save_poll(derived, claim)
    watch.lap("save")
    return watch.laps


class _StageWatch:
    """Stops the CPU time of one stage after the other, in milliseconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.process_time()

    def lap(self, stage: str) -> None:
        now = time.process_time()
        self.laps[stage] = (now - self._since) * 1000
        self._since = now


def _ordinary_races(programme: DayProgramme, feed: SimulatedFeed, races: int) -> list[Race]:
    """Return Australian races of 11 to 13 runners."""
    chosen: list[Race] = []
    for meeting in programme.meetings:
        for planned in meeting.races if meeting.country == "AUS" else ():
            body = feed.event(planned.race_id, EventOptions())
            event = parse_event(body, feed.now()) if body is not None else None
            if event is not None and 11 <= len(event.entrants) <= 13:
                chosen.append(event.race)
            if len(chosen) == races:
                return chosen
    return chosen


def _show(measured: dict[str, dict[str, float | int]]) -> None:
    table = Table(title="CPU milliseconds per poll (medians)", title_justify="left")
    table.add_column("")
    for source in measured:
        table.add_column(source, justify="right")
    for figure in next(iter(measured.values())):
        table.add_row(figure, *(str(figures[figure]) for figures in measured.values()))
    people.print(table)
