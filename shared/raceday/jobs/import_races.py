"""daily-races: the races of every stored meeting, linked to it."""

from __future__ import annotations

from datetime import date

from raceday.domain.racing_day import DailyStage
from raceday.errors import RaceDayError
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.stages import finish_stage, refuse_for, start_stage, unmet_prerequisite

ONE_CALL_S = 16.0
"""A feed call may take its whole budget of 15 s; none is begun that the deadline does not allow."""


async def import_races(ports: JobPorts, racing_date: date, politeness_s: float = 1.0) -> RunReport:
    """Store the races of the day's meetings, one meeting after the other, written as they come.

    One failing meeting does not stop the others; what the deadline left over is reported as remaining.
    """
    report = RunReport(details={"racingDate": racing_date.isoformat()})
    needed = await unmet_prerequisite(ports, racing_date, DailyStage.RACES)
    if needed is not None:
        return refuse_for(report, needed, racing_date)
    started = await start_stage(ports, racing_date, DailyStage.RACES)
    meetings = await ports.store.meetings_on(racing_date)
    races_stored = 0
    for position, meeting in enumerate(meetings):
        if not ports.deadline.allows(ONE_CALL_S):
            report.remaining = len(meetings) - position
            break
        if position:
            await ports.clock.sleep(politeness_s)
        try:
            detailed, races = await ports.feed.meeting(meeting.meeting_id)
            await ports.store.save_meetings([detailed], ports.clock.now())
            await ports.store.save_races(races, ports.clock.now())
            races_stored += len(races)
            report.done()
        except RaceDayError as error:
            ports.log.error("races_not_imported", meeting_id=meeting.meeting_id, message=str(error))
            report.fail(meeting.meeting_id, error)
    report.details["races"] = races_stored
    await finish_stage(ports, started, report, complete=report.failed == 0 and report.remaining == 0)
    return report
