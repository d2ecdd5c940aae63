"""daily-meetings: stores the day's meetings and drops what is past its time (cron 17:00 UTC, or POST {"date"})."""

from raceday.jobs.import_meetings import import_meetings
from raceday.jobs.keep_history import keep_history
from raceday.jobs.report import RunReport
from raceday.runtime.asked_date import asked_racing_date
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "daily-meetings", job)


async def job(run: Run) -> RunReport:
    report = await import_meetings(run.ports, asked_racing_date(run), run.settings.follow)
    dropped = await keep_history(run.ports, run.settings.retention_days)
    report.details["history"] = dropped.as_json()
    return report
