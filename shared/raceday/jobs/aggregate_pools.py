"""race-pools-aggregator: a race's win and place pools, when somebody else than our polls wrote its runners."""

from __future__ import annotations

from collections.abc import Mapping

from raceday.domain.money_flow import Estimator
from raceday.domain.pools_update import pools_due
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.track_money_flow import DELETED
from raceday.store.rows.updates import entrant_update


async def aggregate_pools(
    ports: JobPorts, row_action: str, row: Mapping[str, object], estimator: Estimator
) -> RunReport:
    """Bring the pools of the race of one row event of `entrants` up to date; nothing to do costs one read.

    The event only says which race it is about: the totals come from what is stored of all its runners.
    Raises `InvalidRequest` for a row that does not say whose it is or when it was written.
    """
    report = ports.report
    if row_action == DELETED:
        report.skip()
        return report
    update = entrant_update(row)
    standing = await ports.store.pool_standing(update)
    if standing is None:
        report.skip()
        report.details["unknownRace"] = 1
    elif pools_due(standing, estimator) is None or not await ports.store.save_pool_totals(
        update.race_id, estimator, ports.clock.now()
    ):
        report.skip()
        report.details["alreadyDerived"] = 1
    else:
        report.done()
        report.details["derived"] = 1
    return report
