"""race-data-poller: the classic poller, following by the classic cadence whatever falls due (cron, if chosen)."""

from raceday.domain.cadence import CLASSIC
from raceday.jobs.poll_requested import follow_races
from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.plans import poll_plan
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "race-data-poller", job)


async def job(run: Run) -> RunReport:
    return await follow_races(run.ports, None, poll_plan(run, CLASSIC))
