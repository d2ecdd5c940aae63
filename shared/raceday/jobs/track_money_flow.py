"""money-flow-tracker: the bucket of a runner that somebody wrote, unless its writer derived it already."""

from __future__ import annotations

from collections.abc import Mapping

from raceday.domain.flow_update import NotDue, update_flow
from raceday.domain.money_flow import Estimator
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.store.rows.updates import entrant_update

DELETED = "delete"


async def track_money_flow(
    ports: JobPorts, row_action: str, row: Mapping[str, object], estimator: Estimator
) -> RunReport:
    """Derive the bucket of one row event of `entrants`; what is derived already costs one read.

    Raises `InvalidRequest` for a row that does not say whose it is or when it was written.
    """
    report = ports.report
    if row_action == DELETED:
        report.skip()
        return report
    update = entrant_update(row)
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
