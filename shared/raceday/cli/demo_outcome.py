"""What the demo was asked for and what came of it: as one JSON line for machines, in words for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.markup import escape

from raceday.cli.coverage_table import card_coverage_table
from raceday.cli.demo_database import DEFAULT_DATABASE, icon_folder
from raceday.cli.output import people
from raceday.domain.coverage import RaceCoverage, coverage_pct
from raceday.domain.poll_audit import PollAudit
from raceday.host.appwrite_use import PlatformUse
from raceday.runtime.handler import peak_rss_mb
from raceday.simulator.faults import FaultProfile
from raceday.store.values import DayCounts

SHOWN_KINDS = 6
"""Kinds of calls that the summary names, the most frequent ones."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demo was asked for; without a database the day runs on the stand-in Appwrite."""

    racing_date: date
    seed: int
    saturday: bool
    database: Path | None
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
    use: PlatformUse | None

    @property
    def terminal_races(self) -> int:
        """How many races came to their end."""
        return self.counts.races_by_status.get("Final", 0) + self.counts.races_by_status.get("Abandoned", 0)

    @property
    def whole(self) -> bool:
        """Whether the day was followed to its end, every race of the programme once an interval until it is over."""
        return self.terminal_races == self.races_planned and self.audit.double_polls == 0

    def as_json(self) -> dict[str, object]:
        """Return the figures by the names of the command's contract, and what was used of the platform if any was."""
        figures: dict[str, object] = {
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
            "db": str(self.plan.database) if self.plan.database else None,
        }
        return figures if self.use is None else figures | self.use.as_json()


def summarise(outcome: DemoOutcome) -> None:
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
        f"({figures['executions']} executions, {figures['peak_rss_mb']} MB of memory)",
        highlight=False,
    )
    if outcome.use is not None:
        people.print(_platform_words(outcome.use), highlight=False)
    people.print(_what_next(outcome.plan.database), highlight=False)
    if not outcome.whole:
        people.print(
            f"[bold red]Failed: {outcome.races_planned - outcome.terminal_races} of {outcome.races_planned} races did "
            f"not come to their end[/] ({outcome.failed_executions} executions failed), "
            f"{outcome.audit.double_polls} polls were made twice. "
            + ("See poll_logs and function_runs in the database." if outcome.plan.database else "")
        )


def _platform_words(use: PlatformUse) -> str:
    by_kind = use.calls_by_name()
    most = ", ".join(f"{count} {kind}" for kind, count in list(by_kind.items())[:SHOWN_KINDS])
    minute, executions = use.busiest_minute()
    at = f" ({minute:%H:%M} UTC)" if minute else ""
    return (
        f"On the stand-in Appwrite: {sum(by_kind.values())} calls of the functions ({most}); "
        f"{use.row_events} row events\n"
        f"{executions} executions in the busiest minute{at}; the longest run of a function that recurs every minute "
        f"took {use.longest_recurring_s:.1f} s"
    )


def _what_next(database: Path | None) -> str:
    if database is None:
        return "The day was kept in memory by the stand-in Appwrite, and is gone\nNext: a day to look at   scripts/demo"
    option = "" if database == DEFAULT_DATABASE else f" --db {escape(str(database))}"
    return (
        f"The day is in {escape(str(database))}, its silks in {escape(icon_folder(database).name)}\n"
        f"Next: is all well?   scripts/status{option}\n"
        "      a rough feed   scripts/demo --faults rough\n"
        "      a big day      scripts/demo --saturday\n"
        "      on Appwrite    scripts/demo --platform appwrite\n"
        "      the tests      scripts/test\n"
        "      the tables     docs/tables.md, and any SQLite browser"
    )
