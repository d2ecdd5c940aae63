"""`bench alerts`: what one row event costs alert-evaluator, in CPU time and in reads of the store."""

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
WINDOWS_S = (60, 120, 300, 600, 1800)
QUIET_PCT = 99.0


@dataclass(frozen=True, slots=True)
class BenchRace:
    """A race polled to its start: where it is stored, and the newest row event of each runner that raised one."""

    store: SqliteStore
    events: Sequence[RowEvent]


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
    """Return the figures of an event of a race at its start, the whole function included, with so many configurations.

    `nobody`: none is stored. `quiet`: none is crossed. `busy`: ranges and thresholds of many sizes, each event for the
    first time. `again`: the same events once more.
    """
    rows = {"nobody": [], "quiet": quiet_configs(configs), "busy": busy_configs(configs)}
    measured: dict[str, dict[str, float | int]] = {}
    for name, stored in rows.items():
        with tempfile.TemporaryDirectory() as folder:
            passes = run_virtual(lambda clock, f=folder, s=stored: _measured(Path(f), s, clock), MORNING)
        measured[name] = passes[0]
        if name == "busy":
            measured["again"] = passes[1]
    return measured


def quiet_configs(configs: int) -> list[dict[str, object]]:
    """Return thresholds that no price and no money crosses."""
    return [_threshold(number, KINDS[number % 3], QUIET_PCT) for number in range(configs)]


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


async def _measured(folder: Path, configs: Sequence[dict[str, object]], clock: Clock) -> list[dict[str, float | int]]:
    """Return the figures of each of two passes over the events."""
    race = await polled_race(folder / "bench.sqlite")
    for row in configs:
        await race.store.save_alert_config(row, MORNING)
    environment = {"RACEDAY_ALERT_DEFAULT_USER": "-", "RACEDAY_LOG_LEVEL": "ERROR"}
    manifest = project_manifest()
    alone = [function for function in manifest.functions if function.function_id == FUNCTION]
    ports = ProcessPorts(clock=clock, store=race.store, environment=environment)
    host = Host(manifest.model_copy(update={"functions": alone}), ports)
    await _timed(host, race, race.events[:1])  # imports the function
    passes = [await _timed(host, race, race.events) for _ in range(2)]
    await host.stop()
    await race.store.close()
    return passes


async def _timed(host: Host, race: BenchRace, events: Sequence[RowEvent]) -> dict[str, float | int]:
    cpu_ms: list[float] = []
    reads: list[int] = []
    for event in events:
        calls, writes = race.store.calls, race.store.transactions
        began = time.process_time()
        host.publish(event)
        await host.drain()
        cpu_ms.append((time.process_time() - began) * 1000)
        reads.append(race.store.calls - calls - (race.store.transactions - writes))
    raised = await asyncio.gather(*(race.store.notifications_of(f"user-{user}", 10_000) for user in range(3)))
    return {
        "events": len(events),
        "cpu_ms": round(statistics.median(cpu_ms), 2),
        "cpu_p95_ms": round(sorted(cpu_ms)[int(0.95 * len(cpu_ms))], 2),
        "cpu_max_ms": round(max(cpu_ms), 2),
        "store_reads_max": max(reads),
        "notifications_of_three_users": sum(map(len, raised)),
    }


async def polled_race(database: Path) -> BenchRace:
    """Poll a modelled race of at least 12 runners at the enhanced cadence from 65 minutes out to its start."""
    at = MORNING
    feed = SimulatedFeed(plan_day(at.astimezone(NZ).date()), lambda: at)
    options = EventOptions(money_tracker=True, tote_trends=True, will_pays=True)
    events: dict[str, RowEvent] = {}
    store = SqliteStore.open(database, lambda event: events.__setitem__(event.row_id, event))
    race_id = _large_race(feed)
    race = parse_event(feed.event(race_id, options) or b"", at).race
    await store.save_races([race], at)
    for number, minutes in enumerate(MINUTES_BEFORE):
        at = race.advertised_start - timedelta(minutes=minutes)
        said = parse_event(feed.event(race_id, options) or b"", at, with_price_history=number == 0)
        [claim] = await store.claim_races(await store.poll_targets([race_id]), f"bench-{number}", at, 60)
        state = (await store.race_states([race_id]))[race_id]
        await store.save_poll(derive_poll(said, state, PollTiming(at, at, 30, latency_ms=0)), claim)
    return BenchRace(store, list(events.values()))


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
