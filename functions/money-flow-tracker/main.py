"""money-flow-tracker: buckets of runners that others than our polls wrote (row event; without one, a sweep)."""

from raceday.jobs.report import RunReport
from raceday.runtime.flow_wiring import run_money_flow
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "money-flow-tracker", job)


async def job(run: Run) -> RunReport:
    return await run_money_flow(run)
