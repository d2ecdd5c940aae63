"""daily-entrants: runners and first prices of the day's races, some races a run until the card is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from raceday.domain.derive import DeriveSettings
from raceday.domain.race_poll import PollTiming
from raceday.domain.racing_day import DailyStage
from raceday.errors import RaceDayError
from raceday.jobs.import_pace import MAX_ATTEMPTS, OUTAGE_AFTER, counts_as_attempt, paused_for_next
from raceday.jobs.poll_race import PollAttempt, PollOutcome, poll_race
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.stages import finish_stage, is_complete, start_stage, unmet_prerequisite
from raceday.store.values import RaceSummary

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EntrantsPlan:
    """How many races a run takes on, and how long it waits between two."""

    races_per_run: int = 20
    politeness_s: float = 1.0
    derive: DeriveSettings = field(default_factory=DeriveSettings)


async def import_entrants(ports: JobPorts, racing_date: date, plan: EntrantsPlan) -> RunReport:
    """Store the runners of races that have none yet, those tried least and starting soonest first.

    The cursor is the races themselves: one whose runners were stored is done, one that failed comes again, and
    after `MAX_ATTEMPTS` answers with nothing usable it is left to the pollers, which store its runners as well.
    An outage counts as no attempt and ends the run early. Races of meetings still to come are not waited for, but
    the stage is not complete without them.
    """
    report = ports.report
    report.details["racingDate"] = racing_date.isoformat()
    unmet = await unmet_prerequisite(ports, racing_date, DailyStage.ENTRANTS)
    if unmet is not None:
        return report.refuse(424, unmet)
    started = await start_stage(ports, racing_date, DailyStage.ENTRANTS)
    await _import_some(ports, await _waiting(ports, racing_date), plan)
    report.remaining = len(await _waiting(ports, racing_date))
    card_complete = await is_complete(ports, racing_date, DailyStage.RACES)
    await finish_stage(ports, started, report, complete=card_complete and report.remaining == 0)
    return report


async def _waiting(ports: JobPorts, racing_date: date) -> list[RaceSummary]:
    """Return the races without runners; one that failed for the time being goes behind those never tried."""
    races = await ports.store.races_on(racing_date)
    waiting = [race for race in races if not race.entrants_imported and race.entrants_attempts < MAX_ATTEMPTS]
    targets = await ports.store.poll_targets([race.race_id for race in waiting])
    held_off = {target.race_id: target.not_before or _NEVER for target in targets}
    return sorted(
        waiting,
        key=lambda race: (race.entrants_attempts, held_off.get(race.race_id, _NEVER), race.advertised_start),
    )


async def _import_some(ports: JobPorts, waiting: Sequence[RaceSummary], plan: EntrantsPlan) -> None:
    """Import races until the run has done its share, its time is up, or the feed turns out to be down."""
    outages = 0
    for position, race in enumerate(waiting[: plan.races_per_run]):
        if outages == OUTAGE_AFTER or not await paused_for_next(ports, plan.politeness_s if position else 0.0):
            return
        error = await _import_one(ports, race.race_id, plan)
        outages = 0 if error is None or counts_as_attempt(error) else outages + 1


async def _import_one(ports: JobPorts, race_id: str, plan: EntrantsPlan) -> Exception | None:
    """Poll one race and count it; return the error when it failed."""
    try:
        attempt = await _poll(ports, race_id, plan)
        if attempt.outcome is not PollOutcome.FAILED or attempt.error is None:
            _count_success(ports.report, attempt)
            return None
        if counts_as_attempt(attempt.error):
            await ports.store.note_import_attempt(race_id)
    except RaceDayError as error:
        ports.log.error("entrants_not_imported", race_id=race_id, message=str(error))
        ports.report.fail(race_id, error)
        return error
    ports.report.fail(race_id, attempt.error)
    return attempt.error


async def _poll(ports: JobPorts, race_id: str, plan: EntrantsPlan) -> PollAttempt:
    targets = await ports.store.poll_targets([race_id])
    timing = PollTiming(ports.clock.now(), due_at=None, interval_s=None, latency_ms=0)
    return await poll_race(ports, targets[0], timing, plan.derive)


def _count_success(report: RunReport, attempt: PollAttempt) -> None:
    if attempt.outcome is PollOutcome.POLLED:
        report.done()
    else:
        report.skip()
