"""Keeps the history's partitions ahead of time, and takes out old ones: functions of the database do it, called here.

One day of one table in a transaction: whoever held the locks of two tables could meet a reader of both in a circle.
"""

from __future__ import annotations

from datetime import date, timedelta

from raceday.clock import Clock
from raceday.domain.racing_day import racing_date
from raceday.errors import StoreUnavailable
from raceday.jobs.ports import RunLog
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import PARTITIONED, table_named

HISTORIES = tuple(sorted(table_named(name).sql_name for name in PARTITIONED))
DAYS_AHEAD = 4
"""Today and three more: a scheduler that stands still for a long weekend costs nothing."""
EMPTIED_DAYS = 30
TRIES = 5
PAUSE_S = 3.0
"""The function waits 2 s for its lock and gives way to whoever is writing; then it is tried again."""
MOVE_WITHIN_S = 45
"""300,000 prices take 4.4 s to be moved out of DEFAULT, measured; a statement usually has 10 s."""
_STRAYS = """
    SELECT history, day FROM (
        SELECT 'odds_history' AS history, history_day(event_timestamp) AS day FROM odds_history_default
        UNION SELECT 'money_flow_history', history_day(event_timestamp) FROM money_flow_history_default
        UNION SELECT 'race_polls', history_day(polled_at) FROM race_polls_default
    ) AS strays WHERE day >= %s ORDER BY day, history
"""
_OLD = "SELECT history, day FROM history_partitions WHERE day < %s AND NOT restored ORDER BY day, history"


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
    made = 0
    for ahead in range(DAYS_AHEAD):
        for history in HISTORIES:
            made += await _make(database, history, today + timedelta(days=ahead))
    return made + await _empty_default(database, today - timedelta(days=EMPTIED_DAYS))


async def detach_before(database: PostgresDatabase, oldest_kept: date) -> int:
    """Detach the days before one, also those that only DEFAULT has rows of; return how many partitions that were.

    Raises `StoreUnavailable` when a lock cannot be had; what is detached by then stays so.
    """
    await _empty_default(database, date.min)
    detached = 0
    for history, day in await database.tuples(_OLD, (oldest_kept,)):
        ((done,),) = await database.tuples("SELECT detach_history_partition(%s, %s)", (history, day))
        detached += done
    return detached


async def _empty_default(database: PostgresDatabase, oldest: date) -> int:
    made = 0
    for history, day in await database.tuples(_STRAYS, (oldest,)):
        made += await _make(database, history, day)
    return made


async def _make(database: PostgresDatabase, history: str, day: date) -> bool:
    """Make one partition and move into it what DEFAULT holds of its day; False when it is there already."""
    async with database.transaction() as tx:
        await tx.execute(f"SET LOCAL statement_timeout = '{MOVE_WITHIN_S}s'")
        ((made,),) = await tx.tuples("SELECT make_history_partition(%s, %s)", (history, day))
    return bool(made)
