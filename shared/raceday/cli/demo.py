"""`demo`: a whole modelled race day through the real function entry points, on a virtual clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from raceday.cli.coverage_table import card_coverage_table
from raceday.cli.demo_database import DEFAULT_DATABASE, fresh_database, icon_folder
from raceday.cli.demo_people import ask_for_silks, newest_alerts, save_demo_alerts
from raceday.cli.options import chosen_date, chosen_of
from raceday.cli.output import errors_explained, people, print_json
from raceday.cli.progress import DayProgress
from raceday.clock import Clock
from raceday.domain.cadence import POLICIES
from raceday.domain.coverage import RaceCoverage, coverage_pct
from raceday.domain.poll_audit import PollAudit, audit_polls
from raceday.domain.racing_day import DailyStage, stage_due_at
from raceday.host.bundle import Bundle, open_bundle
from raceday.host.virtual_time import run_virtual
from raceday.jobs.race_coverage import race_coverages
from raceday.nztab.transport import InProcess
from raceday.runtime.handler import peak_rss_mb
from raceday.simulator.app import simulator_app
from raceday.simulator.faults import PROFILES, FaultProfile
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.request_log import RequestLog
from raceday.store.ports import DayCounts

LEAD = timedelta(minutes=1)
"""The clock starts shortly before the first import."""
LONGEST_DAY = timedelta(hours=30)


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demo was asked for."""

    racing_date: date
    seed: int
    saturday: bool
    database: Path
    cadence: str
    faults: FaultProfile


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What came of the day."""

    plan: DemoPlan
    counts: DayCounts
    audit: PollAudit
    feed_calls: int
    store_transactions: int
    executions: int
    failed_executions: int
    virtual_s: float
    wall_s: float
    races_planned: int
    coverages: Sequence[RaceCoverage]

    @property
    def terminal_races(self) -> int:
        """How many races came to their end."""
        return self.counts.races_by_status.get("Final", 0) + self.counts.races_by_status.get("Abandoned", 0)

    @property
    def whole(self) -> bool:
        """Whether the day was followed to its end: every race of the programme is over."""
        return self.terminal_races == self.races_planned

    def as_json(self) -> dict[str, object]:
        """Return the figures by the names of the command's contract."""
        return {
            "date": self.plan.racing_date.isoformat(),
            "meetings": self.counts.meetings,
            "races": self.counts.races,
            "entrants": self.counts.entrants,
            "terminal_races": self.terminal_races,
            "polls": self.counts.polls,
            "failed_polls": self.counts.failed_polls,
            "double_polls": self.audit.double_polls,
            "late_polls": self.audit.late_polls,
            "lateness_p95_s": self.audit.lateness_p95_s,
            "odds_ticks": self.counts.odds_ticks,
            "money_flow_buckets": self.counts.money_flow_buckets,
            "race_pools": self.counts.race_pools,
            "results": self.counts.results,
            "feed_calls": self.feed_calls,
            "store_transactions": self.store_transactions,
            "executions": self.executions,
            "failed_executions": self.failed_executions,
            "wall_s": round(self.wall_s, 2),
            "virtual_s": round(self.virtual_s),
            "polls_per_s": round(self.counts.polls / self.wall_s, 1),
            "peak_rss_mb": peak_rss_mb(),
            "notifications": self.counts.notifications,
            "silks": self.counts.silks,
            "coverage_pct": coverage_pct(self.coverages),
            "quality_p5": self.audit.quality_p5,
            "quality_p50": self.audit.quality_p50,
            "db": str(self.plan.database),
        }


def demo(  # noqa: PLR0913, PLR0917 (a command has as many parameters as options)
    racing_day: Annotated[
        str, typer.Option("--date", help="New Zealand date of the day, YYYY-MM-DD (default: today)")
    ] = "",
    seed: Annotated[int, typer.Option(help="another number models another day")] = 1,
    saturday: Annotated[bool, typer.Option("--saturday", help="a Saturday's card: 26 meetings, 209 races")] = False,
    db: Annotated[Path | None, typer.Option(help="SQLite file to write (default: .raceday/demo.sqlite)")] = None,
    cadence: Annotated[str, typer.Option(help=f"one of {', '.join(POLICIES)}")] = "enhanced",
    faults: Annotated[str, typer.Option(help=f"how the feed misbehaves: {', '.join(PROFILES)}")] = "none",
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
            database=fresh_database(db or DEFAULT_DATABASE),
        )
        outcome = run_demo(plan)
    _summarise(outcome)
    if as_json:
        print_json(outcome.as_json())
    if not outcome.whole:
        raise typer.Exit(1)


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
    environment = {
        "RACEDAY_CADENCE": plan.cadence,
        "RACEDAY_LOG_LEVEL": "WARNING",
        "RACEDAY_ICON_FOLDER": str(icon_folder(plan.database)),
    }
    bundle = open_bundle(plan.database, clock, InProcess(app), environment)
    await save_demo_alerts(bundle.store, began)
    over = asyncio.Event()
    with DayProgress(title, len(programme.imported_races())) as progress:
        watch = asyncio.create_task(_watch(plan, bundle, clock, progress, over))
        await bundle.host.run(over)
        await watch
    history = bundle.host.history
    outcome = DemoOutcome(
        plan,
        counts=await bundle.store.day_counts(),
        audit=audit_polls(await bundle.store.poll_marks()),
        feed_calls=len(requests.requests),
        store_transactions=bundle.store.transactions,
        executions=history.count(),
        failed_executions=history.count(status="failed"),
        virtual_s=(clock.now() - began).total_seconds(),
        wall_s=time.monotonic() - wall_began,
        races_planned=len(programme.imported_races()),
        coverages=await race_coverages(bundle.store, began, clock.now(), clock.now()),
    )
    await bundle.store.close()
    return outcome


async def _watch(plan: DemoPlan, bundle: Bundle, clock: Clock, progress: DayProgress, over: asyncio.Event) -> None:
    """Look at the day once a minute: show it, and end it when every race is over (or it lasts for ever)."""
    gives_up_at = clock.now() + LONGEST_DAY
    minutes = 0
    drawn: set[str] = set()
    while not over.is_set():
        await clock.sleep(60)
        minutes += 1
        now = clock.now()
        if progress.due(now):
            lateness = audit_polls(await bundle.store.poll_marks(now - timedelta(hours=1))).lateness_p95_s
            alerts = await newest_alerts(bundle.store)
            progress.show(now, await bundle.store.day_counts(), lateness, alerts)
        if len(drawn) < progress.total_races:
            await ask_for_silks(bundle, plan.racing_date, drawn)
        if now >= gives_up_at or (minutes % 5 == 0 and await _is_over(plan.racing_date, bundle)):
            over.set()


async def _is_over(day: date, bundle: Bundle) -> bool:
    entrants = await bundle.store.stage(day, DailyStage.ENTRANTS)
    if entrants is None or not entrants.complete:
        return False
    return all(race.status.terminal for race in await bundle.store.races_on(day))


def _database_option(outcome: DemoOutcome) -> str:
    return "" if outcome.plan.database == DEFAULT_DATABASE else f" --db {escape(str(outcome.plan.database))}"


def _summarise(outcome: DemoOutcome) -> None:
    """Say what happened, where it is, and what to do next."""
    figures = outcome.as_json()
    people.print(card_coverage_table(outcome.coverages))
    people.print(
        f"[bold]{figures['terminal_races']} of {figures['races']} races over[/] "
        f"({figures['meetings']} meetings, {figures['entrants']} entrants, {figures['results']} results)\n"
        f"{figures['polls']} polls, {figures['double_polls']} of them double, {figures['late_polls']} later than an "
        f"interval, 95 % within {figures['lateness_p95_s']} s of their second; "
        f"{figures['failed_polls']} more failed; {figures['feed_calls']} feed calls\n"
        f"{figures['odds_ticks']} odds ticks, {figures['money_flow_buckets']} money-flow buckets, "
        f"{figures['notifications']} notifications, {figures['silks']} silks; "
        f"quality {figures['quality_p50']} of 100, 5 % of the polls {figures['quality_p5']} or less\n"
        f"{round(outcome.virtual_s / 3600, 1)} hours of racing in {figures['wall_s']} s "
        f"({figures['executions']} executions, {figures['peak_rss_mb']} MB of memory)\n"
        f"The day is in {escape(str(figures['db']))}, its silks in {escape(icon_folder(outcome.plan.database).name)}\n"
        f"Next: is all well?   scripts/status{_database_option(outcome)}\n"
        "      a rough feed   scripts/demo --faults rough\n"
        "      a big day      scripts/demo --saturday\n"
        "      the tests      scripts/test\n"
        "      the tables     docs/tables.md, and any SQLite browser",
        highlight=False,
    )
    if not outcome.whole:
        people.print(
            f"[bold red]Failed: {outcome.races_planned - outcome.terminal_races} of {outcome.races_planned} races did "
            f"not come to their end[/] ({outcome.failed_executions} executions failed). "
            "See poll_logs and function_runs in the database."
        )
