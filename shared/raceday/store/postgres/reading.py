"""How reads stay small and whole: a race's history by its days alone, and several reads of one state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from raceday.store.postgres.database import PostgresDatabase, Statements


def _of_race(column: str, first: str, last: str) -> str:
    # Subqueries that depend on nothing are answered before the partitions are chosen, whatever the plan is.
    return (
        f"race_id = %s AND {column} >= (SELECT {first} FROM races WHERE race_id = %s) "  # noqa: S608
        f"AND {column} <= (SELECT {last} FROM races WHERE race_id = %s)"
    )


ODDS_OF_RACE = _of_race("event_timestamp", "odds_from", "history_to")
FLOW_OF_RACE = _of_race("event_timestamp", "flow_from", "history_to")
POLLS_OF_RACE = _of_race("polled_at", "entrants_imported_at", "last_poll_time")
"""Conditions on the history tables, each for the id of a race, three times; only the race's days are touched."""


def thrice(race_id: str) -> tuple[str, str, str]:
    """Return the parameters of `ODDS_OF_RACE` and the others."""
    return race_id, race_id, race_id


@asynccontextmanager
async def one_state(db: PostgresDatabase) -> AsyncIterator[Statements]:
    """Read several times from one consistent state, whatever others write meanwhile."""
    async with db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield tx
