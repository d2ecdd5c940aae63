"""daily-entrants: stores runners and first prices, some races a run (cron 17:20 UTC, or POST {"date"})."""

from raceday.jobs.import_entrants import import_entrants
from raceday.jobs.report import RunReport
from raceday.runtime.asked_date import asked_racing_date
from raceday.runtime.entrants_plan import entrants_plan
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "daily-entrants", job)


async def job(run: Run) -> RunReport:
    return await import_entrants(run.ports, asked_racing_date(run), entrants_plan(run))
