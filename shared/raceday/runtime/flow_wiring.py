"""Chooses what a run of money-flow-tracker or race-pools-aggregator does: the runner of an event, or a sweep."""

from __future__ import annotations

from raceday.jobs.aggregate_pools import aggregate_pools
from raceday.jobs.close_races import close_races
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_flow import sweep_money_flow, sweep_pools
from raceday.jobs.track_money_flow import track_money_flow
from raceday.runtime.handler import Run
from raceday.runtime.written_runners import written_runners


async def run_money_flow(run: Run) -> RunReport:
    """Derive the bucket of an event's runner; without an event sweep, and close the races that are over."""
    if run.request.trigger != "event":
        await sweep_money_flow(run.ports, run.settings.estimator)
        run.ports.report.details["closed"] = await close_races(run.ports)
        return run.ports.report
    written = written_runners(run.request)
    if not written:
        return _nothing_to_do(run)
    return await track_money_flow(run.ports, written[0], run.settings.estimator)


async def run_pools(run: Run) -> RunReport:
    """Bring the pools of an event's race up to date; without an event sweep."""
    if run.request.trigger != "event":
        return await sweep_pools(run.ports, run.settings.estimator)
    written = written_runners(run.request)
    if not written:
        return _nothing_to_do(run)
    return await aggregate_pools(run.ports, written[0], run.settings.estimator)


def _nothing_to_do(run: Run) -> RunReport:
    """The row is gone."""
    run.ports.report.skip()
    return run.ports.report
