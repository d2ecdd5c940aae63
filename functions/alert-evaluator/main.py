"""alert-evaluator: row events raise notifications; POST {} finds what lost events left out, {"deliver": true} sends."""

from raceday.jobs.report import RunReport
from raceday.runtime.alert_wiring import run_alerts
from raceday.runtime.handler import Run, run_function
from raceday.runtime.request import PlatformContext


async def main(context: PlatformContext) -> object:
    return await run_function(context, "alert-evaluator", job)


async def job(run: Run) -> RunReport:
    return await run_alerts(run)
