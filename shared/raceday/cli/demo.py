"""`demo`: a whole modelled race day through the real function entry points, on a virtual clock."""

from __future__ import annotations

import asyncio
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from raceday.cli.demo_database import DEFAULT_DATABASE, fresh_database
from raceday.cli.demo_ground import Ground, Platform, open_ground
from raceday.cli.demo_outcome import DemoOutcome, DemoPlan, summarise
from raceday.cli.demo_people import ask_for_silks, newest_alerts, save_demo_alerts
from raceday.cli.options import chosen_date, chosen_of
from raceday.cli.output import errors_explained, print_json
from raceday.cli.progress import DayProgress
from raceday.clock import Clock
from raceday.domain.cadence import POLICIES
from raceday.domain.poll_audit import audit_polls
from raceday.domain.racing_day import DailyStage, stage_due_at
from raceday.errors import ConfigError
from raceday.host.virtual_time import run_virtual
from raceday.jobs.race_coverage import race_coverages
from raceday.simulator.app import simulator_app
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.request_log import RequestLog
from raceday.transport import InProcess

LEAD = timedelta(minutes=1)
"""The clock starts shortly before the first import."""
LONGEST_DAY = timedelta(hours=30)


def demo(  # noqa: PLR0913, PLR0917 (a command has as many parameters as options)
    racing_day: Annotated[
        str, typer.Option("--date", help="New Zealand date of the day, YYYY-MM-DD (default: today)")
    ] = "",
    seed: Annotated[int, typer.Option(help="another number models another day")] = 1,
    saturday: Annotated[bool, typer.Option("--saturday", help="a Saturday's card: 26 meetings, 209 races")] = False,
    db: Annotated[Path | None, typer.Option(help="SQLite file to write (default: .raceday/demo.sqlite)")] = None,
    cadence: Annotated[str, typer.Option(help=f"one of {', '.join(POLICIES)}")] = "enhanced",
    faults: Annotated[str, typer.Option(help=f"how the feed misbehaves: {', '.join(PROFILES)}")] = "none",
    platform: Annotated[
        str, typer.Option(help=f"what the day runs on, {' or '.join(Platform)}: the file of --db, or a stand-in")
    ] = Platform.EMBEDDED.value,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Follow a whole modelled race day: import, poll every race until it is over, record."""
    with errors_explained():
        plan = DemoPlan(
            racing_date=chosen_date(racing_day),
            seed=seed,
            saturday=saturday,
            cadence=chosen_of("--cadence", cadence, POLICIES),
            faults=PROFILES[chosen_of("--faults", faults, PROFILES)],
            # Last, so that nothing is replaced for the sake of a command that cannot run.
            database=_database(chosen_of("--platform", platform, [*Platform]), db),
        )
        outcome = run_demo(plan)
    summarise(outcome)
    if as_json:
        print_json(outcome.as_json())
    if not outcome.whole:
        raise typer.Exit(1)


def _database(platform: str, db: Path | None) -> Path | None:
    """Return the file that the day is kept in, made anew; None for a day on the stand-in Appwrite."""
    if platform == Platform.EMBEDDED:
        return fresh_database(db or DEFAULT_DATABASE)
    if db is not None:
        raise ConfigError(f"--db {db} goes with --platform embedded: the stand-in Appwrite keeps the day in memory")
    return None


def run_demo(plan: DemoPlan) -> DemoOutcome:
    """Run the day and return its figures."""
    programme = plan_day(plan.racing_date, plan.seed, plan.saturday)
    began = stage_due_at(plan.racing_date, DailyStage.MEETINGS) - LEAD
    wall_began = time.monotonic()
    title = f"Race day {plan.racing_date}, seed {plan.seed}, cadence {plan.cadence}"
    return run_virtual(lambda clock: _follow_day(plan, programme, clock, title, wall_began), began)


async def _follow_day(
    plan: DemoPlan, programme: DayProgramme, clock: Clock, title: str, wall_began: float
) -> DemoOutcome:
    began = clock.now()
    requests = RequestLog()
    app = simulator_app(SimulatedFeed(programme, clock.now), plan.faults, plan.seed, requests, clock.sleep)
    environment = {"RACEDAY_CADENCE": plan.cadence, "RACEDAY_LOG_LEVEL": "WARNING"}
    ground = open_ground(plan.database, clock, InProcess(app), environment)
    await save_demo_alerts(ground.store, began)
    over = asyncio.Event()
    with DayProgress(title, len(programme.imported_races()), ground.refresh_wall_s) as progress:
        watch = asyncio.create_task(_watch(plan, ground, clock, progress, over))
        await ground.host.run(over)
        await watch
    history = ground.host.history
    outcome = DemoOutcome(
        plan,
        counts=await ground.store.day_counts(),
        audit=audit_polls(await ground.store.poll_marks()),
        feed_calls=len(requests.requests),
        store_transactions=ground.transactions(),
        executions=history.count(),
        failed_executions=history.count(status="failed"),
        virtual_s=(clock.now() - began).total_seconds(),
        wall_s=time.monotonic() - wall_began,
        races_planned=len(programme.imported_races()),
        coverages=await race_coverages(ground.store, began, clock.now(), clock.now()),
        use=ground.use,
    )
    await ground.store.close()
    return outcome


async def _watch(plan: DemoPlan, ground: Ground, clock: Clock, progress: DayProgress, over: asyncio.Event) -> None:
    """Look at the day once a minute: show it, and end it when every race is over (or it lasts for ever)."""
    gives_up_at = clock.now() + LONGEST_DAY
    minutes = 0
    drawn: set[str] = set()
    while not over.is_set():
        await clock.sleep(60)
        minutes += 1
        now = clock.now()
        if progress.due(now):
            lateness = audit_polls(await ground.store.poll_marks(now - timedelta(hours=1))).lateness_p95_s
            alerts = await newest_alerts(ground.store)
            progress.show(now, await ground.store.day_counts(), lateness, alerts)
        if len(drawn) < progress.total_races:
            await ask_for_silks(ground.host, ground.store, plan.racing_date, drawn)
        if now >= gives_up_at or (minutes % 5 == 0 and await _is_over(plan.racing_date, ground)):
            over.set()


async def _is_over(day: date, ground: Ground) -> bool:
    entrants = await ground.store.stage(day, DailyStage.ENTRANTS)
    if entrants is None or not entrants.complete:
        return False
    return all(race.status.terminal for race in await ground.store.races_on(day))
