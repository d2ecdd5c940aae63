"""race-pools-aggregator: a race's win and place pools, when somebody else than our polls wrote its runners."""

from __future__ import annotations

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.money_flow import Estimator
from raceday.domain.pools_update import pools_due
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport


async def aggregate_pools(ports: JobPorts, update: EntrantUpdate, estimator: Estimator) -> RunReport:
    """Bring the pools of the race of one update up to date; nothing to do costs one read.

    The update only says which race it is about: the totals come from what is stored of all its runners.
    """
    report = ports.report
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
