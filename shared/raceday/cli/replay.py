"""`replay`: captured responses through the same functions as a live day, capture by capture."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from raceday.cli.demo_database import DEFAULT_FOLDER, fresh_database
from raceday.cli.output import errors_explained, people, print_json
from raceday.clock import Clock
from raceday.errors import ConfigError
from raceday.host.bundle import Bundle, open_bundle
from raceday.host.virtual_time import run_virtual
from raceday.jobs.refresh_meetings import REFRESH_MINUTES
from raceday.nztab.transport import InProcess
from raceday.simulator.app import simulator_app
from raceday.simulator.recognition import BrokenCapture
from raceday.simulator.replay import Capture, CapturedFeed
from raceday.store.ports import DayCounts

ENVIRONMENT = {
    "RACEDAY_CODES": "T,H,G",
    "RACEDAY_COUNTRIES": "all",
    "RACEDAY_ENTRANTS_PER_RUN": "200",
    "RACEDAY_POLITENESS_S": "0",
    "RACEDAY_FEED_REQUESTS_PER_S": "100",
    "RACEDAY_FEED_BURST": "100",
    "RACEDAY_LOG_LEVEL": "ERROR",
}
"""Whatever was captured is replayed, and nobody has to be polite to a folder."""


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
    """Turn captured responses into a feed and drive the functions over it."""
    with errors_explained():
        outcome = run_replay(directory, fresh_database(db or DEFAULT_FOLDER / "replay.sqlite"))
    _summarise(outcome)
    if as_json:
        print_json(outcome.as_json())
    if outcome.failures:
        raise typer.Exit(1)


def run_replay(directory: Path, database: Path) -> ReplayOutcome:
    """Replay every capture below a directory; raises `ConfigError` when there is nothing to replay."""
    try:
        feed = CapturedFeed.load(directory)
    except NotADirectoryError as error:
        raise ConfigError(f"{error}: give the folder that holds them") from None
    captures = sorted(_captures(feed), key=lambda pair: pair[1].generated_at)
    days = feed.racing_days()
    if not days:
        raise ConfigError(f"no meeting and no event was found below {directory}")
    outcome = ReplayOutcome(database, responses=feed.responses, events=len(captures))
    for path, refusal in feed.not_replayed:
        kept = outcome.failures if isinstance(refusal, BrokenCapture) else outcome.left_out
        kept.append({"file": str(path.relative_to(directory)), "reason": str(refusal)})
    begins = captures[0][1].generated_at if captures else feed.now()
    return run_virtual(
        lambda clock: _drive(feed, captures, days, outcome, directory, clock), begins - timedelta(minutes=5)
    )


def _captures(feed: CapturedFeed) -> list[tuple[str, Capture]]:
    return [(event_id, capture) for event_id in feed.event_ids() for capture in feed.captures(event_id)]


async def _drive(
    feed: CapturedFeed,
    captures: list[tuple[str, Capture]],
    days: list[date],
    outcome: ReplayOutcome,
    directory: Path,
    clock: Clock,
) -> ReplayOutcome:
    shown = clock.now()

    def as_of() -> datetime:
        return shown

    feed.now = as_of
    bundle = open_bundle(outcome.database, clock, InProcess(simulator_app(feed)), ENVIRONMENT)
    for day in days:
        await _import_day(bundle, day)
    readings = [reading for reading in _list_readings(feed) if reading[0] > shown]
    for event_id, capture in captures:
        while readings and readings[0][0] <= capture.generated_at:
            shown, day = readings.pop(0)
            await _read_list(bundle, day)
        shown = capture.generated_at
        await clock.sleep((capture.generated_at - clock.now()).total_seconds())
        failure = await _poll(bundle, event_id, outcome)
        if failure is None:
            outcome.mapped += 1
        else:
            outcome.failures.append({"file": str(capture.path.relative_to(directory)), "reason": failure})
    for shown, day in readings:  # noqa: B007 - the feed answers as of `shown`
        await _read_list(bundle, day)
    await bundle.host.stop()
    outcome.counts = await bundle.store.day_counts()
    await bundle.store.close()
    return outcome


async def _import_day(bundle: Bundle, day: date) -> None:
    """Run the three daily functions for one day, the last one until the card is done."""
    await _read_list(bundle, day)
    remaining = True
    while remaining:
        result = await bundle.host.execute("daily-entrants", {"date": day.isoformat()})
        report = json.loads(result.body)
        remaining = report["remaining"] > 0 and report["processed"] > 0


def _list_readings(feed: CapturedFeed) -> list[tuple[datetime, date]]:
    """Return when to read a day's meetings again: as on a live day, at most once in ten minutes.

    The list alone knows of every abandonment, also of races that were captured before it.
    """
    newest = {
        (day, int(made_at.timestamp()) // (60 * REFRESH_MINUTES)): made_at
        for made_at, day in feed.book.captured_again()
    }
    return sorted((made_at, day) for (day, _), made_at in newest.items())


async def _read_list(bundle: Bundle, day: date) -> None:
    body = {"date": day.isoformat()}
    await bundle.host.execute("daily-meetings", body)
    await bundle.host.execute("daily-races", body)


async def _poll(bundle: Bundle, event_id: str, outcome: ReplayOutcome) -> str | None:
    """Poll the race of a capture; return why that failed, or None."""
    result = await bundle.host.execute("single-race-poller", {"raceId": event_id, "force": True})
    report = json.loads(result.body)
    for updated in report.get("updated", ()):
        outcome.drift.update(updated["drift"])
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
        people.print(f"[red]failed[/]   {failure['file']}: {failure['reason']}", highlight=False)
    for left_out in outcome.left_out:
        people.print(f"[dim]left out[/] {left_out['file']}: {left_out['reason']}", highlight=False)
    people.print(f"Everything is in {figures['db']}", highlight=False)
