"""daily-races: stores the races of the day's meetings (cron 17:10 UTC, or POST {"date"})."""

from raceday.jobs.import_races import import_races
from raceday.jobs.report import RunReport
from raceday.runtime.asked_date import asked_racing_date
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "daily-races", job)


async def job(run: Run) -> RunReport:
    return await import_races(run.ports, asked_racing_date(run), run.settings.politeness_s)
