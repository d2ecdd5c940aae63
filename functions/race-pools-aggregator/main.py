"""race-pools-aggregator."""

from raceday.jobs.report import RunReport
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "race-pools-aggregator", job)


async def job(run: Run) -> RunReport:
    run.ports.report.skip()
    return run.ports.report
