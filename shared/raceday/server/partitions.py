"""Keeps the history's partitions ahead of time: a SQL function of the database makes them, this calls it."""

from __future__ import annotations

from datetime import date, timedelta

from raceday.clock import Clock
from raceday.domain.racing_day import racing_date
from raceday.errors import StoreUnavailable
from raceday.jobs.ports import RunLog
from raceday.store.postgres.database import PostgresDatabase

DAYS_AHEAD = 4
"""Today and three more: a scheduler that stands still for a long weekend costs nothing."""
EMPTIED_DAYS = 30
TRIES = 5
PAUSE_S = 3.0
"""The function waits 2 s for its lock and gives way to whoever is writing; then it is tried again."""


async def prepare_partitions(database: PostgresDatabase, clock: Clock, log: RunLog) -> int:
    """Make the partitions of today and the days ahead, and give what lies in DEFAULT its own; return how many.

    Raises `StoreUnavailable` when the database does not let it happen; rows go into DEFAULT until then.
    """
    today = racing_date(clock.now())
    for attempt in range(1, TRIES + 1):
        try:
            made = await _prepare(database, today)
        except StoreUnavailable as error:
            if attempt == TRIES:
                raise
            log.info("partitions_wait", attempt=attempt, message=str(error))
            await clock.sleep(PAUSE_S)
        else:
            if made:
                log.info("partitions_made", partitions=made, first_day=today.isoformat(), days=DAYS_AHEAD)
            return made
    raise AssertionError("the last attempt returns or raises")


async def _prepare(database: PostgresDatabase, today: date) -> int:
    """One statement a day: a lock is never held longer than one day's tables take."""
    made = 0
    for ahead in range(DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        ((count,),) = await database.tuples("SELECT make_history_partitions(%s, 1)", (day,))
        made += count
    oldest = today - timedelta(days=EMPTIED_DAYS)
    ((count,),) = await database.tuples("SELECT empty_default_partitions(%s)", (oldest,))
    return made + int(count)
