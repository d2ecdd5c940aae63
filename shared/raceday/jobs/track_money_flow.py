"""money-flow-tracker: the bucket of a runner that somebody wrote, unless its writer derived it already."""

from __future__ import annotations

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import NotDue, update_flow
from raceday.domain.money_flow import Estimator
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport


async def track_money_flow(ports: JobPorts, update: EntrantUpdate, estimator: Estimator) -> RunReport:
    """Derive the bucket of one update; what is derived already costs one read."""
    report = ports.report
    due = update_flow(update, await ports.store.flow_standing(update), estimator)
    if isinstance(due, NotDue):
        report.skip()
        report.details[due.value] = 1
    elif await ports.store.save_flow(update, estimator, ports.clock.now()):
        report.done()
        report.details["derived"] = 1
        report.details["bucket"] = due.buckets[0].bucket
    else:
        report.skip()
        report.details[NotDue.DERIVED.value] = 1
    return report
