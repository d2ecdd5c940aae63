"""The day's programme in PostgreSQL: meetings and races."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import json_rows, selected
from raceday.store.rows.history import empty_pools_row
from raceday.store.rows.programme import (
    BEFORE_IMPORT_COLUMNS,
    SUMMARY_COLUMNS,
    imported_race_row,
    meeting_row,
    meeting_summary,
    race_summary,
    was_polled,
)
from raceday.store.rows.values import date_text, instant_text
from raceday.store.tables import MEETINGS, RACE_POOLS, RACES
from raceday.store.values import MeetingSummary, RaceSummary

_SUMMARY = selected(RACES, SUMMARY_COLUMNS)
_BEFORE = selected(RACES, BEFORE_IMPORT_COLUMNS)
_MISSING_POOLS = (
    "SELECT upsert_race_pools(jsonb_agg(said), %s) FROM jsonb_array_elements(%s::jsonb) AS said "
    "WHERE NOT EXISTS (SELECT FROM race_pools WHERE race_pools.race_id = said ->> 'race_id') HAVING count(*) > 0"
)


async def save_meetings(db: PostgresDatabase, meetings: Sequence[Meeting], at: datetime) -> None:
    """Insert or update meetings by id, all or none."""
    rows = json_rows(MEETINGS, [meeting_row(meeting, at) for meeting in meetings])
    await db.execute("SELECT upsert_meetings(%s::jsonb, %s)", (rows, instant_text(at)))


async def meetings_on(db: PostgresDatabase, racing_date: date) -> list[MeetingSummary]:
    """Return the meetings of a racing date, by name."""
    rows = await db.rows(
        f"SELECT {selected(MEETINGS)} FROM meetings WHERE date = %s AND status = 'active' "  # noqa: S608
        'ORDER BY meeting_name COLLATE "C"',
        (date_text(racing_date),),
    )
    return [meeting_summary(row) for row in rows]


async def note_races_imported(db: PostgresDatabase, meeting_id: str, at: datetime) -> None:
    """Note that the races of a meeting are stored."""
    await db.execute(
        "UPDATE meetings SET races_imported_at = %s, updated_at = %s WHERE meeting_id = %s",
        (instant_text(at), instant_text(at), meeting_id),
    )


async def note_races_attempt(db: PostgresDatabase, meeting_id: str) -> None:
    """Count one more try to import a meeting's races."""
    await db.execute(
        "UPDATE meetings SET races_attempts = coalesce(races_attempts, 0) + 1 WHERE meeting_id = %s", (meeting_id,)
    )


async def save_races(db: PostgresDatabase, races: Sequence[Race], at: datetime) -> None:
    """Insert or update races by id, all or none, with a pools row of zeros for each new one."""
    race_ids = sorted(race.race_id for race in races)
    now = instant_text(at)
    async with db.transaction() as tx:
        # Locked, so that no poll moves a status between our look at it and our word.
        stored = {
            row["$id"]: row
            for row in await tx.rows(
                f"SELECT {_BEFORE} FROM races WHERE race_id = ANY(%s) ORDER BY race_id FOR NO KEY UPDATE",  # noqa: S608
                (race_ids,),
            )
        }
        rows = [imported_race_row(race, stored.get(race.race_id), at) for race in races]
        fresh = [row for row in rows if not was_polled(stored.get(str(row["$id"])))]
        known = [row for row in rows if was_polled(stored.get(str(row["$id"])))]
        if fresh:
            await tx.execute("SELECT upsert_races(%s::jsonb, %s)", (json_rows(RACES, fresh), now))
        if known:
            await tx.execute("SELECT upsert_races(%s::jsonb, %s, false)", (json_rows(RACES, known), now))
        new = [empty_pools_row(race_id, at) for race_id in race_ids if race_id not in stored]
        if new:
            await tx.execute(_MISSING_POOLS, (now, json_rows(RACE_POOLS, new)))


async def races_on(db: PostgresDatabase, racing_date: date) -> list[RaceSummary]:
    """Return the races of the meetings of a racing date, by start time."""
    rows = await db.rows(
        f"SELECT {_SUMMARY} FROM meetings JOIN races USING (meeting_id) "  # noqa: S608
        "WHERE meetings.date = %s AND meetings.status = 'active' ORDER BY races.start_time, races.race_id",
        (date_text(racing_date),),
    )
    return [race_summary(row) for row in rows]


async def race(db: PostgresDatabase, race_id: str) -> RaceSummary | None:
    """Return one race, or None when it is not stored."""
    row = await db.row(f"SELECT {_SUMMARY} FROM races WHERE race_id = %s", (race_id,))  # noqa: S608
    return None if row is None else race_summary(row)


async def note_import_attempt(db: PostgresDatabase, race_id: str) -> None:
    """Count one more try to import a race's runners."""
    await db.execute(
        "UPDATE races SET entrants_attempts = coalesce(entrants_attempts, 0) + 1 WHERE race_id = %s", (race_id,)
    )
