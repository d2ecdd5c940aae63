"""What is kept no longer: the history's partitions are detached day by day, logs are dropped.

A detached partition is still there, for `scripts/partitions` to archive; nothing is lost by this alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from raceday.domain.racing_day import nz_midnight, racing_date
from raceday.jobs.close_races import close_race
from raceday.jobs.keep_history import HISTORY_MARK, ROWS_A_STEP
from raceday.jobs.ports import JobPorts
from raceday.server.partitions import detach_before
from raceday.store.postgres.database import PostgresDatabase


async def end_retention(ports: JobPorts, database: PostgresDatabase, retention_days: int) -> None:
    """Detach the partitions of racing days more than `retention_days` ago, and drop the logs of those days.

    A race that has no closing snapshot yet gets it first: it is made from the history. Raises `StoreUnavailable` when
    the database does not let it happen now; the next run goes on there.
    """
    oldest_kept = racing_date(ports.clock.now()) - timedelta(days=retention_days)
    until = nz_midnight(oldest_kept)
    await _close_races(ports, until)
    detached = await detach_before(database, oldest_kept)
    await ports.store.note_swept(HISTORY_MARK, until, ports.clock.now())
    ports.report.details["partitionsDetached"] = detached
    ports.report.processed += detached + await _drop_logs(ports, until)


async def _close_races(ports: JobPorts, until: datetime) -> None:
    """Make the closing snapshots that are missing of the races since the last run."""
    begins = await ports.store.swept_to(HISTORY_MARK) or await ports.store.first_start(None)
    if begins is None or begins >= until:
        return
    for race in await ports.store.followed_races(begins, until):
        if not race.closed:
            await close_race(ports.store, race.race_id, ports.clock.now())
            ports.report.done()


async def _drop_logs(ports: JobPorts, before: datetime) -> int:
    total = 0
    dropped = ROWS_A_STEP
    while dropped >= ROWS_A_STEP:
        rows = await ports.store.drop_logs(before, ROWS_A_STEP)
        dropped = max(rows.values(), default=0)
        total += sum(rows.values())
    return total
