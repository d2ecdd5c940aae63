"""The day's programme on Appwrite: meetings, races, and with each race the row by which it is polled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
from raceday.errors import StoreConflict
from raceday.store.appwrite.conflicts import begun_again
from raceday.store.appwrite.import_operations import (
    CLAIM_COLUMNS,
    STORED_COLUMNS,
    import_operations,
    is_settled,
)
from raceday.store.appwrite.operations import Operation, bulk_update
from raceday.store.appwrite.queries import VALUES_AT_ONCE, equal
from raceday.store.appwrite.rows import AppwriteRows, Verification
from raceday.store.rows.programme import SUMMARY_COLUMNS, meeting_row, meeting_summary, race_summary, whole_row
from raceday.store.rows.values import StoredRow, date_text, instant_text, unsaid_columns
from raceday.store.tables import MEETINGS, POLL_CLAIMS, RACE_POOLS, RACES, Table
from raceday.store.values import MeetingSummary, RaceSummary

RACES_AT_ONCE = VALUES_AT_ONCE
"""So many fit one query, and one transaction: at most an operation for each claim, a few for everything else."""


class AppwriteProgramme:
    """Writes what the lists say and reads it back. `_claims_seen` holds the claims' rows as this run last saw them."""

    _rows: AppwriteRows
    _claims_seen: dict[str, StoredRow]

    async def save_meetings(self, meetings: Sequence[Meeting], at: datetime) -> None:
        """Insert or update meetings by id, all or none; what a meeting does not say (None) is kept.

        One call for up to 100; one more when a meeting leaves out what the platform requires in every write.
        """
        rows = [meeting_row(meeting, at) for meeting in meetings]
        partial = [str(row["$id"]) for row in rows if unsaid_columns(MEETINGS, row)]
        required = tuple(column.name for column in MEETINGS.columns if column.required)
        stored = await _by_id(self._rows, MEETINGS, partial, required)
        await self._rows.upsert(MEETINGS, [whole_row(MEETINGS, row, stored.get(str(row["$id"]))) for row in rows])

    async def meetings_on(self, racing_date: date) -> list[MeetingSummary]:
        """Return the meetings of a New Zealand racing date, by name. One call."""
        rows = await self._rows.find(MEETINGS, equal("date", date_text(racing_date)))
        return [meeting_summary(row) for row in sorted(rows, key=lambda row: str(row["meetingName"]))]

    async def note_races_imported(self, meeting_id: str, at: datetime) -> None:
        """Note that the races of a meeting are stored. One call."""
        await self._rows.update(MEETINGS, meeting_id, {"racesImportedAt": instant_text(at)})

    async def note_races_attempt(self, meeting_id: str) -> None:
        """Count one more try to import a meeting's races. Two calls."""

        async def count() -> None:
            meeting = await self._rows.get(MEETINGS, meeting_id)
            if meeting is not None:
                counted = {"racesAttempts": (meeting["racesAttempts"] or 0) + 1}
                await self._rows.update(MEETINGS, meeting_id, counted, unchanged_since=meeting["$updatedAt"])

        await begun_again(count)

    async def save_races(self, races: Sequence[Race], at: datetime) -> None:
        """Insert or update races by id, without an event; each new one gets a pools row of zeros and a claim's row.

        All or none for up to 80 races, more go 80 by 80. One call as long as all were polled and the list moves none
        of them, as it is day in, day out: these are left as they are, `importedAt` included. Seven for new races.
        """
        said = list({race.race_id: race for race in races}.values())
        for begin in range(0, len(said), RACES_AT_ONCE):
            await self._save_races(said[begin : begin + RACES_AT_ONCE], at)

    async def races_on(self, racing_date: date) -> list[RaceSummary]:
        """Return the races of the meetings of a racing date, by start time. Two calls for up to 80 meetings."""
        meetings = await self._rows.find(MEETINGS, equal("date", date_text(racing_date)), columns=("meetingId",))
        meeting_ids = [str(row["$id"]) for row in meetings]
        found = await self._rows.of_ids(RACES, "meeting", meeting_ids, columns=(*SUMMARY_COLUMNS, "meeting"))
        rows = [row for row in found if row["meeting"] in meeting_ids]
        return [race_summary(row) for row in sorted(rows, key=lambda row: (row["startTime"], row["$id"]))]

    async def race(self, race_id: str) -> RaceSummary | None:
        """Return one race, or None when it is not stored. One call."""
        row = (await _by_id(self._rows, RACES, [race_id], SUMMARY_COLUMNS)).get(race_id)
        return None if row is None else race_summary(row)

    async def note_import_attempt(self, race_id: str) -> None:
        """Count one more try to import a race's runners, without an event. Five calls."""

        async def attempts() -> int | None:
            row = (await _by_id(self._rows, RACES, [race_id], ("entrantsAttempts",))).get(race_id)
            return None if row is None else row["entrantsAttempts"] or 0

        async def count() -> None:
            before = await attempts()
            if before is None:
                return

            async def still_so() -> bool:
                return await attempts() == before

            counting = bulk_update(RACES, {"entrantsAttempts": before + 1}, [equal("$id", race_id)])
            await _commit_if(self._rows, [counting], still_so, f"race {race_id}: others count its imports, too")

        await begun_again(count)

    async def _save_races(self, races: Sequence[Race], at: datetime) -> None:
        """Write some races in one transaction, decided anew when a poll or another import came between."""

        async def save() -> None:
            ids = [race.race_id for race in races]
            claims = await _by_id(self._rows, POLL_CLAIMS, ids, CLAIM_COLUMNS)
            open_races = [race for race in races if not is_settled(race, claims.get(race.race_id))]
            if not open_races:
                return
            open_ids = [race.race_id for race in open_races]
            stored = await _by_id(self._rows, RACES, open_ids, STORED_COLUMNS)
            # A race gets its pools and its claim together, so whatever has a claim has pools.
            unclaimed = [race_id for race_id in open_ids if race_id not in claims]
            with_pools = await _by_id(self._rows, RACE_POOLS, unclaimed, ("raceId",))

            async def still_so() -> bool:
                now = await _by_id(self._rows, POLL_CLAIMS, open_ids, CLAIM_COLUMNS)
                return all(_schedule(now, race_id) == _schedule(claims, race_id) for race_id in open_ids)

            operations = import_operations(open_races, stored, claims, with_pools, at)
            for race_id in open_ids:
                self._claims_seen.pop(race_id, None)
            await _commit_if(self._rows, operations, still_so, "the races were polled or imported meanwhile")

        await begun_again(save)


async def _commit_if(
    rows: AppwriteRows, operations: Sequence[Operation], still_so: Verification, otherwise: str
) -> None:
    """Write a transaction as long as what it was made from still holds; raises StoreConflict `otherwise`."""
    if not await rows.commit(operations, still_so):
        raise StoreConflict(otherwise)


async def _by_id(
    rows: AppwriteRows, table: Table, row_ids: Sequence[str], columns: Sequence[str]
) -> dict[str, StoredRow]:
    """Return the rows of these ids that are there, with some columns."""
    return {row["$id"]: row for row in await rows.of_ids(table, "$id", row_ids, columns=columns)}


def _schedule(claims: Mapping[str, StoredRow], race_id: str) -> list[object] | None:
    claim = claims.get(race_id)
    return None if claim is None else [claim[name] for name in CLAIM_COLUMNS]
