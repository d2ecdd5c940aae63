"""race-pools-aggregator: pools of races whose runners others wrote (row event; without one, a sweep)."""

from raceday.jobs.report import RunReport
from raceday.runtime.flow_wiring import run_pools
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "race-pools-aggregator", job)


async def job(run: Run) -> RunReport:
    return await run_pools(run)
