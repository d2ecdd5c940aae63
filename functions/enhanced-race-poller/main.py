"""enhanced-race-poller: follows races at their cadence for most of a minute (POST {"raceId"}, {"raceIds"} or {})."""

from raceday.jobs.poll_requested import follow_races, requested_ids
from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.plans import poll_plan
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "enhanced-race-poller", job)


async def job(run: Run) -> RunReport:
    return await follow_races(run.ports, requested_ids(run.request.body), poll_plan(run))
