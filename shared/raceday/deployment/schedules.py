"""When the live schedules fire next, and whether they do the work once: not twice, and not never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from raceday.deployment.findings import Finding
from raceday.host.cron import next_firing

SCHEDULER, CLASSIC_POLLER = "master-race-scheduler", "race-data-poller"
OLD_IMPORTER = "daily-race-importer"
"""What the three daily functions replaced: it did all of their work in one run."""


@dataclass(frozen=True, slots=True)
class NextRun:
    """A function's schedule and when it fires next, in UTC."""

    function_id: str
    schedule: str
    at: datetime


def next_runs(schedules: Mapping[str, str], now: datetime) -> list[NextRun]:
    """Return the next run of every function that has a schedule, the soonest first.

    A schedule in words that the platform takes and we cannot read, such as `@hourly`, has none here.
    """
    runs = []
    for function_id, schedule in schedules.items():
        try:
            firing = next_firing({function_id: schedule}, now)
        except CronSimError:
            continue
        if firing is not None:
            runs.append(NextRun(function_id, schedule, firing.at))
    return sorted(runs, key=lambda run: (run.at, run.function_id))


def previous_run(schedule: str, before: datetime) -> datetime | None:
    """Return when a schedule was due last before an instant; None without one, or one that we cannot read."""
    if not schedule:
        return None
    try:
        return next(CronSim(schedule, before.astimezone(UTC), reverse=True))
    except CronSimError:
        return None


def schedule_findings(schedules: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with the schedules taken together; `schedules` maps every live function to its own."""
    findings = []
    if schedules.get(OLD_IMPORTER):
        findings.append(
            Finding(
                OLD_IMPORTER,
                f"is live with the schedule {schedules[OLD_IMPORTER]}: it imports what the daily functions import",
                "empty its schedule in the console, or delete it: daily-meetings, -races and -entrants do its work",
            )
        )
    polls = [function_id for function_id in (SCHEDULER, CLASSIC_POLLER) if schedules.get(function_id)]
    if len(polls) > 1:
        findings.append(
            Finding(
                " and ".join(polls),
                "both have a schedule: no race is polled twice, but every minute costs two executions",
                "keep one: scripts/manifest --poller scheduler (or classic), then scripts/deploy",
            )
        )
    if not polls:
        findings.append(
            Finding(
                SCHEDULER,
                f"has no schedule, nor has {CLASSIC_POLLER}: no race is ever polled",
                f"scripts/deploy --functions {SCHEDULER}",
            )
        )
    return findings
