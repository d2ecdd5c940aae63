"""`replay`: captured responses through the same functions as a live day, capture by capture."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from raceday.cli.demo_database import DEFAULT_FOLDER, fresh_database
from raceday.cli.output import errors_explained, people, print_json
from raceday.cli.replay_steps import Step, captures_of, steps_of
from raceday.clock import Clock
from raceday.domain.meeting import MeetingFilter, RaceCode
from raceday.errors import ConfigError, RaceDayError
from raceday.host.bundle import Bundle, open_bundle
from raceday.host.virtual_time import run_virtual
from raceday.jobs.refresh_meetings import refresh_meetings
from raceday.nztab.budget import RequestBudget
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings
from raceday.simulator.app import simulator_app
from raceday.simulator.recognition import BrokenCapture, BrokenEvent
from raceday.simulator.replay import CapturedFeed
from raceday.store.values import DayCounts
from raceday.transport import InProcess

ENVIRONMENT = {
    "RACEDAY_CODES": "T,H,G",
    "RACEDAY_COUNTRIES": "all",
    "RACEDAY_ENTRANTS_PER_RUN": "200",
    "RACEDAY_POLITENESS_S": "0",
    "RACEDAY_FEED_REQUESTS_PER_S": "100",
    "RACEDAY_FEED_BURST": "100",
    "RACEDAY_LOG_LEVEL": "ERROR",
    # Captures span months on one clock, and none of them is to be dropped as too old.
    "RACEDAY_RETENTION_DAYS": "3650",
}
"""Whatever was captured is replayed, and nobody has to be polite to a folder."""
EVERYTHING = MeetingFilter(countries=None, codes=frozenset(RaceCode))


@dataclass(slots=True)
class ReplayOutcome:
    """What came of the captures."""

    database: Path
    responses: int
    events: int
    mapped: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)
    drift: Counter[str] = field(default_factory=Counter)
    counts: DayCounts = field(default_factory=DayCounts)

    def as_json(self) -> dict[str, object]:
        """Return the figures by the names of the command's contract."""
        return {
            "responses": self.responses,
            "meetings": self.counts.meetings,
            "races": self.counts.races,
            "events": self.events,
            "events_mapped": self.mapped,
            "events_failed": self.events - self.mapped,
            "failures": self.failures,
            "left_out": self.left_out,
            "entrants": self.counts.entrants,
            "odds_ticks": self.counts.odds_ticks,
            "money_flow_buckets": self.counts.money_flow_buckets,
            "race_pools": self.counts.race_pools,
            "results": self.counts.results,
            "drift": dict(sorted(self.drift.items())),
            "db": str(self.database),
        }


def replay(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="folder of captured responses, any depth")],
    db: Annotated[Path | None, typer.Option(help="SQLite file to write (default: .raceday/replay.sqlite)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Turn captured responses into a feed and drive the functions over it.

    Whatever is no response of a race or a meeting is left out; one that is meant to be and cannot be used has failed.
    """
    with errors_explained():
        outcome = run_replay(directory, db or DEFAULT_FOLDER / "replay.sqlite")
    _summarise(outcome)
    if as_json:
        print_json(outcome.as_json())
    if outcome.failures:
        raise typer.Exit(1)


def run_replay(directory: Path, database: Path) -> ReplayOutcome:
    """Replay every capture below a directory into a new database, which may replace an earlier demo's or replay's.

    Raises `ConfigError` when there is nothing to replay or the database would replace something else.
    """
    try:
        feed = CapturedFeed.load(directory)
    except NotADirectoryError as error:
        raise ConfigError(f"{error}: give the folder that holds them") from None
    if not feed.racing_days():
        raise ConfigError(f"no meeting and no event was found below {directory}")
    outcome = ReplayOutcome(fresh_database(database), feed.responses, len(captures_of(feed)))
    for path, refusal in feed.not_replayed:
        kept = outcome.failures if isinstance(refusal, BrokenCapture) else outcome.left_out
        kept.append({"file": str(path.relative_to(directory)), "reason": str(refusal)})
        outcome.responses += isinstance(refusal, BrokenCapture)
        outcome.events += isinstance(refusal, BrokenEvent)
    steps = steps_of(feed)
    return run_virtual(lambda clock: _drive(feed, steps, outcome, directory, clock), steps[0].at)


async def _drive(
    feed: CapturedFeed, steps: list[Step], outcome: ReplayOutcome, directory: Path, clock: Clock
) -> ReplayOutcome:
    """Take every step at its time: the feed never shows a capture that was still to come."""
    shown = steps[0].at

    def as_of() -> datetime:
        return shown

    feed.now = as_of
    transport = InProcess(simulator_app(feed))
    bundle = open_bundle(outcome.database, clock, transport, ENVIRONMENT)
    lists = NzTabClient(FeedSettings(), clock, transport=transport, budget=RequestBudget(100.0, 100))
    for step in steps:
        shown = step.at
        await clock.sleep((step.at - clock.now()).total_seconds())
        if step.day is not None:
            if step.again:
                await _read_again(bundle, clock, lists, step.day, outcome)
            else:
                await _import_day(bundle, step.day)
            continue
        failure = await _poll(bundle, step.event_id, outcome)
        if failure is None:
            outcome.mapped += 1
        else:
            outcome.failures.append({"file": str(step.path.relative_to(directory)), "reason": failure})
    await bundle.host.stop()
    outcome.counts = await bundle.store.day_counts()
    await bundle.store.close()
    return outcome


async def _read_again(bundle: Bundle, clock: Clock, lists: NzTabClient, day: date, outcome: ReplayOutcome) -> None:
    """Take over what the lists of a day say by now, as the scheduler does on a live day; a bad one stops nothing."""
    try:
        await refresh_meetings(lists, bundle.store, clock.now(), day, EVERYTHING)
    except RaceDayError as error:
        outcome.failures.append({"file": f"meeting lists of {day}", "reason": f"{type(error).__name__}: {error}"})


async def _import_day(bundle: Bundle, day: date) -> None:
    """Run the three daily functions for one day.

    A race that was not captured yet fails in daily-entrants: the poll of its first capture stores its runners.
    """
    for function_id in ("daily-meetings", "daily-races", "daily-entrants"):
        await bundle.host.execute(function_id, {"date": day.isoformat()})


async def _poll(bundle: Bundle, event_id: str, outcome: ReplayOutcome) -> str | None:
    """Poll the race of a capture; return why that failed, or None."""
    result = await bundle.host.execute("single-race-poller", {"raceId": event_id, "force": True})
    report = json.loads(result.body)
    if report.get("updated"):
        outcome.drift.update(report["updated"][0]["drift"])
        return None
    failures = [f"{failure['error']}: {failure['message']}" for failure in report.get("failures", ())]
    return "; ".join(failures) or str(report.get("message") or report.get("notPolled"))


def _summarise(outcome: ReplayOutcome) -> None:
    figures = outcome.as_json()
    people.print(
        f"[bold]{figures['events_mapped']} of {figures['events']} events mapped[/] from {figures['responses']} "
        f"responses ({figures['meetings']} meetings, {figures['races']} races, {figures['entrants']} entrants)\n"
        f"{figures['odds_ticks']} odds ticks, {figures['money_flow_buckets']} money-flow buckets, "
        f"{figures['race_pools']} pools, {figures['results']} results",
        highlight=False,
    )
    for failure in outcome.failures:
        people.print("[red]failed[/]   " + escape(f"{failure['file']}: {failure['reason']}"), highlight=False)
    for left_out in outcome.left_out:
        people.print("[dim]left out[/] " + escape(f"{left_out['file']}: {left_out['reason']}"), highlight=False)
    people.print(escape(f"Everything is in {figures['db']}"), highlight=False)
