"""master-race-scheduler: every minute, starts the pollers for what falls due, and a missing daily stage."""

from raceday.jobs.report import RunReport
from raceday.jobs.schedule_polls import schedule_polls
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext
from raceday.runtime.schedule_plan import schedule_plan


async def main(context: PlatformContext) -> object:
    return await run_function(context, "master-race-scheduler", job)


async def job(run: Run) -> RunReport:
    return await schedule_polls(run.ports, schedule_plan(run))
