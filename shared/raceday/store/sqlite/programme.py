"""The day's programme in SQLite: meetings and races."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
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
from raceday.store.sqlite.connection import SqliteConnection, placeholders
from raceday.store.tables import MEETINGS, RACE_POOLS, RACES
from raceday.store.values import MeetingSummary, RaceSummary

_SUMMARY = ", ".join(f'races."{column}"' for column in SUMMARY_COLUMNS)
_BEFORE = ", ".join(f'"{column}"' for column in BEFORE_IMPORT_COLUMNS)


def save_meetings(db: SqliteConnection, meetings: Sequence[Meeting], at: datetime) -> None:
    """Insert or update meetings by id, all or none."""
    with db.writing():
        db.upsert(MEETINGS, [meeting_row(meeting, at) for meeting in meetings], instant_text(at))


def meetings_on(db: SqliteConnection, racing_date: date) -> list[MeetingSummary]:
    """Return the meetings of a racing date, by name."""
    with db.reading():
        rows = db.rows('SELECT * FROM meetings WHERE date = ? ORDER BY "meetingName"', (date_text(racing_date),))
    return [meeting_summary(row) for row in rows]


def note_races_imported(db: SqliteConnection, meeting_id: str, at: datetime) -> None:
    """Note that the races of a meeting are stored."""
    with db.writing():
        db.update(MEETINGS, {"$id": meeting_id, "racesImportedAt": instant_text(at)}, instant_text(at))


def note_races_attempt(db: SqliteConnection, meeting_id: str) -> None:
    """Count one more try to import a meeting's races."""
    with db.writing():
        db.write(
            'UPDATE meetings SET "racesAttempts" = coalesce("racesAttempts", 0) + 1 WHERE "$id" = ?', (meeting_id,)
        )


def save_races(db: SqliteConnection, races: Sequence[Race], at: datetime) -> None:
    """Insert or update races by id, all or none, with a pools row of zeros for each new one."""
    race_ids = [race.race_id for race in races]
    with db.writing():
        stored = {
            row["$id"]: row
            for row in db.rows(
                f'SELECT {_BEFORE} FROM races WHERE "$id" IN ({placeholders(race_ids)})',  # noqa: S608
                race_ids,
            )
        }
        db.step("races read")
        for race in races:
            before = stored.get(race.race_id)
            row = imported_race_row(race, before, at)
            if was_polled(before):
                db.update(RACES, row, instant_text(at))
            else:
                db.upsert(RACES, [row], instant_text(at))
        db.step("races written")
        db.insert_missing(RACE_POOLS, [empty_pools_row(race_id, at) for race_id in race_ids], instant_text(at))
        db.step("pools written")


def races_on(db: SqliteConnection, racing_date: date) -> list[RaceSummary]:
    """Return the races of the meetings of a racing date, by start time."""
    with db.reading():
        rows = db.rows(
            f'SELECT {_SUMMARY} FROM meetings JOIN races ON races.meeting = meetings."$id" '  # noqa: S608
            'WHERE meetings.date = ? ORDER BY races."startTime", races."$id"',
            (date_text(racing_date),),
        )
    return [race_summary(row) for row in rows]


def race(db: SqliteConnection, race_id: str) -> RaceSummary | None:
    """Return one race, or None when it is not stored."""
    with db.reading():
        row = db.row(f'SELECT {_SUMMARY} FROM races WHERE "$id" = ?', (race_id,))  # noqa: S608
    return None if row is None else race_summary(row)


def note_import_attempt(db: SqliteConnection, race_id: str) -> None:
    """Count one more try to import a race's runners."""
    with db.writing():
        db.write(
            'UPDATE races SET "entrantsAttempts" = coalesce("entrantsAttempts", 0) + 1 WHERE "$id" = ?', (race_id,)
        )
