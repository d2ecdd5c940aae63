"""daily-entrants: runners and first prices of the day's races, some races a run until the card is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from raceday.domain.derive import DeriveSettings
from raceday.domain.race_poll import PollTiming
from raceday.domain.racing_day import DailyStage
from raceday.jobs.import_races import ONE_CALL_S
from raceday.jobs.poll_race import PollOutcome, poll_race
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.stages import finish_stage, refuse_for, start_stage, unmet_prerequisite
from raceday.store.ports import RaceSummary

MAX_ATTEMPTS = 3
"""After so many failed tries a race is left to the pollers, which store its runners as well."""


@dataclass(frozen=True, slots=True)
class EntrantsPlan:
    """How many races a run takes on, and how long it waits between two."""

    races_per_run: int = 20
    politeness_s: float = 1.0
    derive: DeriveSettings = field(default_factory=DeriveSettings)


async def import_entrants(ports: JobPorts, racing_date: date, plan: EntrantsPlan) -> RunReport:
    """Store the runners of races that have none yet, those tried least and starting soonest first.

    The cursor is the races themselves: one whose runners were stored is done, one that failed comes again.
    """
    report = RunReport(details={"racingDate": racing_date.isoformat()})
    needed = await unmet_prerequisite(ports, racing_date, DailyStage.ENTRANTS)
    if needed is not None:
        return refuse_for(report, needed, racing_date)
    started = await start_stage(ports, racing_date, DailyStage.ENTRANTS)
    waiting = _waiting(await ports.store.races_on(racing_date))
    for position, race in enumerate(waiting[: plan.races_per_run]):
        if not ports.deadline.allows(ONE_CALL_S):
            break
        if position:
            await ports.clock.sleep(plan.politeness_s)
        await _import_one(ports, race, plan, report)
    report.remaining = len(_waiting(await ports.store.races_on(racing_date)))
    await finish_stage(ports, started, report, complete=report.remaining == 0)
    return report


def _waiting(races: Sequence[RaceSummary]) -> list[RaceSummary]:
    waiting = [race for race in races if not race.entrants_imported and race.entrants_attempts < MAX_ATTEMPTS]
    return sorted(waiting, key=lambda race: (race.entrants_attempts, race.advertised_start))


async def _import_one(ports: JobPorts, race: RaceSummary, plan: EntrantsPlan, report: RunReport) -> None:
    targets = await ports.store.poll_targets([race.race_id])
    timing = PollTiming(ports.clock.now(), due_at=None, interval_s=None, latency_ms=0)
    attempt = await poll_race(ports, targets[0], timing, plan.derive)
    match attempt.outcome:
        case PollOutcome.POLLED:
            report.done()
        case PollOutcome.CLAIMED_ELSEWHERE:
            report.skip()
        case PollOutcome.FAILED if attempt.error is not None:
            report.fail(race.race_id, attempt.error)
            await ports.store.note_import_attempt(race.race_id)
