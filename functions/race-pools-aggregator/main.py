"""race-pools-aggregator: pools of races whose runners others wrote (row event; without one, a sweep)."""

from raceday.jobs.aggregate_pools import aggregate_pools
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_flow import sweep_pools
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "race-pools-aggregator", job)


async def job(run: Run) -> RunReport:
    request, estimator = run.request, run.settings.estimator
    if request.trigger == "event":
        return await aggregate_pools(run.ports, request.row_action, request.body, estimator)
    return await sweep_pools(run.ports, estimator)
