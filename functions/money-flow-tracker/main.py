"""money-flow-tracker: buckets of runners that others than our polls wrote (row event; without one, a sweep)."""

from raceday.jobs.close_races import close_races
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_flow import sweep_money_flow
from raceday.jobs.track_money_flow import track_money_flow
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "money-flow-tracker", job)


async def job(run: Run) -> RunReport:
    request, estimator = run.request, run.settings.estimator
    if request.trigger == "event":
        return await track_money_flow(run.ports, request.row_action, request.body, estimator)
    report = await sweep_money_flow(run.ports, estimator)
    report.details["closed"] = await close_races(run.ports)
    return report
