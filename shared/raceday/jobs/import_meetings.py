"""daily-meetings: the day's Australian and New Zealand meetings, from the feed's list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from raceday.domain.meeting import Meeting, MeetingFilter
from raceday.domain.racing_day import DailyStage
from raceday.errors import RaceDayError
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.stages import finish_stage, start_stage


async def import_meetings(ports: JobPorts, racing_date: date, wanted: MeetingFilter) -> RunReport:
    """Store the meetings of a racing date that the filter follows.

    A meeting that cannot be stored does not stop the others. Raises `FeedError` when the list cannot be had.
    """
    report = ports.report
    report.details["racingDate"] = racing_date.isoformat()
    started = await start_stage(ports, racing_date, DailyStage.MEETINGS)
    listed = await ports.feed.meetings(racing_date, racing_date)
    followed = wanted.select(meeting for meeting, _ in listed)
    for meeting in followed:
        try:
            await ports.store.save_meetings([meeting], ports.clock.now())
            report.done()
        except RaceDayError as error:
            ports.log.error("meeting_not_stored", meeting_id=meeting.meeting_id, message=str(error))
            report.fail(meeting.meeting_id, error)
    report.details |= {"listed": len(listed), "followed": _by_country(followed)}
    await finish_stage(ports, started, report, complete=report.failed == 0 and bool(listed))
    return report


def _by_country(meetings: Iterable[Meeting]) -> dict[str, int]:
    return dict(Counter(f"{meeting.country}/{meeting.category}" for meeting in meetings))
