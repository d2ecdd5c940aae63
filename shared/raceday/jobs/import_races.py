"""daily-races: the races of every stored meeting, linked to it, meeting by meeting until the card is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from raceday.domain.racing_day import DailyStage
from raceday.jobs.import_pace import MAX_ATTEMPTS, counts_as_attempt, paused_for_next
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.stages import finish_stage, start_stage, unmet_prerequisite
from raceday.store.values import MeetingSummary


async def import_races(ports: JobPorts, racing_date: date, politeness_s: float = 1.0) -> RunReport:
    """Store the races of the day's meetings that have none yet, one meeting after the other, written as they come.

    A failing meeting does not stop the others. It is tried again by the following runs, and given up after
    `MAX_ATTEMPTS` answers with nothing usable; an outage never counts as one. Once the stage is complete, whoever
    starts it again has every meeting read anew.
    """
    report = ports.report
    report.details |= {"racingDate": racing_date.isoformat(), "races": 0}
    unmet = await unmet_prerequisite(ports, racing_date, DailyStage.RACES)
    if unmet is not None:
        return report.refuse(424, unmet)
    started = await start_stage(ports, racing_date, DailyStage.RACES)
    meetings = await ports.store.meetings_on(racing_date)
    chosen = meetings if started.complete else _waiting(meetings)
    races_stored = 0
    unreached = 0
    for position, meeting in enumerate(chosen):
        if not await paused_for_next(ports, politeness_s if position else 0.0):
            unreached = len(chosen) - position
            break
        races_stored += await _import_one(ports, meeting)
    meetings = await ports.store.meetings_on(racing_date)
    given_up = [meeting.meeting.meeting_id for meeting in meetings if _given_up(meeting)]
    report.remaining = max(unreached, len(_waiting(meetings)))
    report.details |= {"races": races_stored, "givenUp": given_up}
    if given_up:
        report.message = f"given up after {MAX_ATTEMPTS} tries: {len(given_up)} of {len(meetings)} meetings"
    await finish_stage(ports, started, report, complete=report.remaining == 0)
    return report


def _given_up(meeting: MeetingSummary) -> bool:
    return not meeting.races_imported and meeting.races_attempts >= MAX_ATTEMPTS


def _waiting(meetings: Sequence[MeetingSummary]) -> list[MeetingSummary]:
    """Return the meetings whose races are still to be fetched, those tried least first."""
    waiting = [meeting for meeting in meetings if not meeting.races_imported and not _given_up(meeting)]
    return sorted(waiting, key=lambda meeting: meeting.races_attempts)


async def _import_one(ports: JobPorts, meeting: MeetingSummary) -> int:
    """Store one meeting and its races; return how many races."""
    meeting_id = meeting.meeting.meeting_id
    try:
        detailed, races = await ports.feed.meeting(meeting_id)
        await ports.store.save_meetings([detailed], ports.clock.now())
        await ports.store.save_races(races, ports.clock.now())
        await ports.store.note_races_imported(meeting_id, ports.clock.now())
    except Exception as error:  # noqa: BLE001 (one meeting that nobody foresaw must not cost the others)
        ports.log.error("races_not_imported", meeting_id=meeting_id, message=str(error))
        ports.report.fail(meeting_id, error)
        if counts_as_attempt(error):
            await ports.store.note_races_attempt(meeting_id)
        return 0
    ports.report.done()
    return len(races)
