"""`bench alerts`: what one row event costs alert-evaluator, in CPU time and in reads of the store."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from raceday.cli.output import errors_explained, people, print_json
from raceday.clock import Clock
from raceday.domain.derive import derive_poll
from raceday.domain.race_poll import PollTiming
from raceday.domain.racing_day import NZ
from raceday.host.bundle import project_manifest
from raceday.host.host import Host
from raceday.host.virtual_time import run_virtual
from raceday.nztab.responses import parse_event
from raceday.runtime.ports import ProcessPorts
from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from raceday.store.events import RowEvent
from raceday.store.sqlite.store import SqliteStore

FUNCTION = "alert-evaluator"
MORNING = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
MINUTES_BEFORE = [*(65 - 2.5 * step for step in range(24)), *(5 - 0.5 * step for step in range(11))]
"""When the enhanced cadence polls a race from 65 minutes out."""
KINDS = ("odds_shortening", "odds_drifting", "money_share_rise")
WHOLE_FIELDS = 5
WINDOWS_S = (60, 120, 300, 600, 1800)


def alerts(
    configs: Annotated[int, typer.Option(min=1, help="configurations, all of which concern every runner")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Measure the CPU time and the store's reads of one row event: nobody asks, nothing crossed, much crossed."""
    with errors_explained():
        measured = measure_alerts(configs)
    _show(measured)
    if as_json:
        print_json(measured)


def measure_alerts(configs: int) -> dict[str, dict[str, float | int]]:
    """Return the figures of an event, the whole function included, while a race is polled to its start.

    `nobody`: no configuration is stored. `quiet`: so many, none of which is crossed. `busy`: so many ranges and
    thresholds of all sizes. `whole_field`: at the start, events that name every runner of the race. `resumed` counts
    the events that left something to an execution of its own.
    """
    measured: dict[str, dict[str, float | int]] = {}
    for name, rows in {"nobody": [], "quiet": quiet_configs(configs), "busy": busy_configs(configs)}.items():
        with tempfile.TemporaryDirectory() as folder:
            race = run_virtual(partial(_measured, Path(folder), rows), MORNING)
        measured[name] = race.live.figures()
    return measured | {"whole_field": race.whole_field.figures()}


def quiet_configs(configs: int) -> list[dict[str, object]]:
    """Return thresholds that no price and no money crosses."""
    return [_threshold(number, ("odds_shortening", "money_share_rise")[number % 2], 100.0) for number in range(configs)]


def busy_configs(configs: int) -> list[dict[str, object]]:
    """Return half thresholds from 5 % up over several windows, and half the ranges of users who have all six."""
    ranges = [(5.0, 10.0), (10.0, 15.0), (15.0, 20.0), (20.0, 25.0), (25.0, 50.0), (50.0, None)]
    rows: list[dict[str, object]] = []
    for number in range(configs):
        if number % 2:
            rows.append(_threshold(number, KINDS[number % 3], 5.0 + number % 40))
            continue
        user, order = divmod(number // 2, 6)
        lowest, highest = ranges[order]
        row = {"$id": f"range-{number}", "userId": f"user-{user}", "indicatorType": "percentage_range"}
        rows.append(row | {"percentageRangeMin": lowest, "percentageRangeMax": highest, "displayOrder": order + 1})
    return rows


def _threshold(number: int, kind: str, threshold: float) -> dict[str, object]:
    row: dict[str, object] = {"$id": f"threshold-{number}", "userId": f"watcher-{number}", "alertType": kind}
    return row | {"threshold": threshold, "timeWindowSeconds": WINDOWS_S[number % len(WINDOWS_S)]}


@dataclass(slots=True)
class _Costs:
    """What each of some events cost."""

    cpu_ms: list[float] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    resumed: int = 0

    def figures(self) -> dict[str, float | int]:
        ordered = sorted(self.cpu_ms)
        return {
            "events": len(ordered),
            "cpu_ms": round(statistics.median(ordered), 2),
            "cpu_p95_ms": round(ordered[int(0.95 * len(ordered))], 2),
            "cpu_max_ms": round(ordered[-1], 2),
            "store_reads_max": max(self.reads),
            "resumed": self.resumed,
        }


class _LoneHost(Host):
    """A host that notes the executions that events start, and does not run them: they are no part of the event."""

    started = 0

    async def start(self, function_id: str, body: Mapping[str, object]) -> str:
        """Count an execution."""
        self.started += 1
        return f"noted-{function_id}-{len(body)}-{self.started}"


class _BenchRace:
    """A modelled race on a store of its own, and alert-evaluator alone on a host."""

    def __init__(self, database: Path, clock: Clock) -> None:
        self.raised: list[RowEvent] = []
        self.live = _Costs()
        self.whole_field = _Costs()
        self.store = SqliteStore.open(database, self.raised.append)
        manifest = project_manifest()
        alone = [function for function in manifest.functions if function.function_id == FUNCTION]
        environment = {"RACEDAY_ALERT_DEFAULT_USER": "-", "RACEDAY_LOG_LEVEL": "ERROR"}
        ports = ProcessPorts(clock=clock, store=self.store, environment=environment)
        self.host = _LoneHost(manifest.model_copy(update={"functions": alone}), ports)

    async def time(self, event: RowEvent, costs: _Costs) -> None:
        """Let the function handle one event, and note what it cost."""
        calls, writes, started = self.store.calls, self.store.transactions, self.host.started
        began = time.process_time()
        self.host.publish(event)
        await self.host.drain()
        costs.cpu_ms.append((time.process_time() - began) * 1000)
        costs.reads.append(self.store.calls - calls - (self.store.transactions - writes))
        costs.resumed += self.host.started - started


async def _measured(folder: Path, configs: Sequence[dict[str, object]], clock: Clock) -> _BenchRace:
    race = _BenchRace(folder / "bench.sqlite", clock)
    for row in configs:
        await race.store.save_alert_config(row, MORNING)
    await race.host.execute(FUNCTION, {})  # a first run imports the function
    # What the bench itself keeps must not be searched for garbage while the function is measured.
    gc.collect()
    gc.freeze()
    async for event in _events(race):
        await race.time(event, race.live)
        newest = event
    for _ in range(WHOLE_FIELDS):
        await race.time(await _of_every_runner(race.store, newest), race.whole_field)
    gc.unfreeze()
    await race.host.stop()
    await race.store.close()
    return race


async def _events(race: _BenchRace) -> AsyncIterator[RowEvent]:
    """Poll a modelled race of at least 12 runners from 65 minutes out to its start; yield the events of each poll."""
    at = MORNING
    feed = SimulatedFeed(plan_day(at.astimezone(NZ).date()), lambda: at)
    options = EventOptions(money_tracker=True, tote_trends=True, will_pays=True)
    race_id = _large_race(feed)
    planned = parse_event(feed.event(race_id, options) or b"", at).race
    await race.store.save_races([planned], at)
    for number, minutes in enumerate(MINUTES_BEFORE):
        at = planned.advertised_start - timedelta(minutes=minutes)
        said = parse_event(feed.event(race_id, options) or b"", at, with_price_history=number == 0)
        [claim] = await race.store.claim_races(await race.store.poll_targets([race_id]), f"bench-{number}", at, 60)
        state = (await race.store.race_states([race_id]))[race_id]
        await race.store.save_poll(derive_poll(said, state, PollTiming(at, at, 30, latency_ms=0)), claim)
        raised = [*race.raised]
        race.raised.clear()
        for event in raised:
            yield event


async def _of_every_runner(store: SqliteStore, event: RowEvent) -> RowEvent:
    """Return a race's event as if every runner of it had moved."""
    runners = await store.alert_runners(event.row_id)
    moved = [{"$id": each.entrant_id, "name": each.name, "runnerNumber": each.runner_number} for each in runners]
    return replace(event, row={**event.row, "movedRunners": orjson.dumps(moved).decode()})


def _large_race(feed: SimulatedFeed) -> str:
    programme = plan_day(MORNING.astimezone(NZ).date())
    for meeting in programme.meetings:
        for planned in meeting.races if meeting.is_imported else ():
            body = feed.event(planned.race_id, EventOptions())
            if body is not None and len(parse_event(body, feed.now()).entrants) >= 12:
                return planned.race_id
    raise LookupError("the modelled day has no race of 12 runners")


def _show(measured: dict[str, dict[str, float | int]]) -> None:
    table = Table(title="alert-evaluator, one row event (CPU in milliseconds)", title_justify="left")
    table.add_column("")
    for case in measured:
        table.add_column(case, justify="right")
    for figure in next(iter(measured.values())):
        table.add_row(figure, *(str(figures[figure]) for figures in measured.values()))
    people.print(table)
