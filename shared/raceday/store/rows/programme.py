"""Meetings and races as rows, and back."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import orjson

from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
from raceday.domain.race_poll import RacePoll
from raceday.domain.status import RaceStatus
from raceday.store.rows.updates import moved_runners_text
from raceday.store.rows.values import (
    Row,
    StoredRow,
    date_text,
    fitted,
    instant_text,
    optional_instant_text,
    optional_json_text,
    parse_instant,
    parse_optional_instant,
    unsaid_columns,
    without_nones,
)
from raceday.store.tables import MEETINGS, RACES, Table
from raceday.store.values import MeetingSummary, RaceSummary


def meeting_row(meeting: Meeting, at: datetime) -> Row:
    """Return a meeting as a row of `meetings`; what the feed did not say is left out."""
    row: Row = {
        "$id": meeting.meeting_id,
        "meetingId": meeting.meeting_id,
        "meetingName": meeting.name,
        "country": meeting.country,
        "state": meeting.state,
        "raceType": meeting.category_name,
        "category": meeting.category,
        "categoryName": meeting.category_name,
        "date": date_text(meeting.meeting_date),
        "trackCondition": meeting.track_condition,
        "status": "active",
        "trackDirection": meeting.track_direction,
        "trackSurface": meeting.track_surface,
        "railPosition": meeting.rail_position,
        "weather": meeting.weather,
        "lastUpdated": instant_text(at),
        "apiGeneratedTime": optional_instant_text(meeting.generated_at),
        "dataSource": "NZTAB",
        "toteStatus": meeting.tote_status,
        "toteMeetingNumber": meeting.tote_meeting_number,
        "videoChannels": optional_json_text(meeting.video_channels, 500),
        "quaddie": optional_json_text(meeting.quaddie, 200),
        "earlyQuaddie": optional_json_text(meeting.early_quaddie, 200),
        "toteRunningDoubles": optional_json_text(meeting.tote_running_doubles, 500),
        "toteTrebles": optional_json_text(meeting.tote_trebles, 500),
    }
    return fitted(MEETINGS, without_nones(row))


def meeting_of(row: StoredRow) -> Meeting:
    """Return the meeting that a stored row describes."""
    return Meeting(
        meeting_id=row["$id"],
        name=row["meetingName"],
        country=row["country"],
        category=row["category"] or "",
        category_name=row["raceType"],
        meeting_date=date.fromisoformat(row["date"][:10]),
        state=row["state"],
        track_condition=row["trackCondition"],
        track_direction=row["trackDirection"],
        track_surface=row["trackSurface"],
        rail_position=row["railPosition"],
        weather=row["weather"],
        tote_status=row["toteStatus"],
        tote_meeting_number=row["toteMeetingNumber"],
        video_channels=tuple(_list(row["videoChannels"])),
        quaddie=tuple(_list(row["quaddie"])),
        early_quaddie=tuple(_list(row["earlyQuaddie"])),
        tote_running_doubles=tuple(tuple(legs) for legs in _list(row["toteRunningDoubles"])),
        tote_trebles=tuple(tuple(legs) for legs in _list(row["toteTrebles"])),
        generated_at=parse_optional_instant(row["apiGeneratedTime"]),
    )


def meeting_summary(row: StoredRow) -> MeetingSummary:
    """Return a stored meeting with how far the import of its races has come."""
    return MeetingSummary(
        meeting=meeting_of(row),
        races_imported=row["racesImportedAt"] is not None,
        races_attempts=row["racesAttempts"] or 0,
    )


def race_row(race: Race, at: datetime) -> Row:
    """Return what a response says of a race, without its status, as part of a row of `races`."""
    row: Row = {
        "$id": race.race_id,
        "raceId": race.race_id,
        "name": race.name,
        "raceNumber": race.race_number,
        "startTime": instant_text(race.advertised_start),
        "actualStart": optional_instant_text(race.actual_start),
        "toteStartTime": race.tote_start_time,
        "startTimeNz": race.start_time_nz,
        "raceDateNz": race.race_date_nz.isoformat(),
        "distance": race.distance_m,
        "trackCondition": race.track_condition,
        "trackSurface": race.track_surface,
        "weather": race.weather,
        "type": race.category,
        "totalPrizeMoney": race.prize_money_dollars,
        "entrantCount": race.entrant_count,
        "fieldSize": race.field_size,
        "positionsPaid": race.positions_paid,
        "lastUpdated": instant_text(at),
        "silkUrl": race.silk_url,
        "silkBaseUrl": race.silk_base_url,
        "videoChannels": optional_json_text(race.video_channels, 500),
        "meeting": race.meeting_id,
        "meetingId": race.meeting_id,
        "trackDirection": race.track_direction,
        "railPosition": race.rail_position,
        "startType": race.start_type,
        "raceGroup": race.race_group,
        "raceClass": race.race_class,
        "comment": race.comment,
        "protestLodged": race.protest_lodged,
        "protestReason": race.protest_reason,
    }
    return fitted(RACES, without_nones(row))


BEFORE_IMPORT_COLUMNS = ("$id", "status", "last_poll_time", "abandonedBy")
BY_LIST = "list"
BY_EVENT = "event"


def was_polled(stored: StoredRow | None) -> bool:
    """Whether a stored race was polled, so that its row exists and only its polls describe it from now on."""
    return stored is not None and stored["last_poll_time"] is not None


def imported_race_row(race: Race, stored: StoredRow | None, at: datetime) -> Row:
    """Return what a race of the programme changes in `races`; `stored` has `BEFORE_IMPORT_COLUMNS`.

    For a race that was polled this is no whole row, but what is to be updated.
    """
    before = RaceStatus.parse(stored["status"]) if stored is not None else None
    by_list = stored is not None and stored["abandonedBy"] == BY_LIST
    polled = was_polled(stored)
    status = status_after_import(before, race.status, polled=polled, abandoned_by_list=by_list)
    row: Row = {"$id": race.race_id} if polled else race_row(race, at)
    row |= {"status": status.value, "importedAt": instant_text(at)}
    if before is not None and status is not before:
        row |= status_change(status, at)
    if status is RaceStatus.ABANDONED and before is not status:
        row["abandonedBy"] = BY_LIST
    return row


def status_after_import(
    before: RaceStatus | None, said: RaceStatus | None, *, polled: bool, abandoned_by_list: bool
) -> RaceStatus:
    """Return a race's status after the programme was imported again.

    A terminal status stays, except that the list may take back an abandonment that nobody else confirmed: the feed
    has been seen to reinstate a race. Once a race was polled its polls know better, except that only the meeting
    list learns of an abandonment; and a Final from the list must not end the polling before the result is stored.
    """
    if before is None:
        return said or RaceStatus.OPEN
    if said is None:
        return before
    if before.terminal:
        return said if before is RaceStatus.ABANDONED and abandoned_by_list else before
    return before if polled and said is not RaceStatus.ABANDONED else said


def may_move(before: RaceStatus, said: RaceStatus | None) -> bool:
    """Whether an import can move the status of a race that was polled; it moves nothing else of such a race."""
    return status_after_import(before, said, polled=True, abandoned_by_list=True) is not before


def whole_row(table: Table, row: Row, stored: StoredRow | None) -> Row:
    """Return a row with every required column: what it does not say is as stored, or "" and 0 in a new row.

    For a store that wants all of them in every upsert; `stored` has at least those that the row leaves out.
    """
    unsaid: Row = dict(unsaid_columns(table, row))
    if stored is not None:
        unsaid = {name: stored[name] for name in unsaid}
    return unsaid | row


def status_change(status: RaceStatus, at: datetime) -> Row:
    """Return the columns that note when a race came to its status; a race that goes on is not abandoned."""
    row: Row = {"lastStatusChange": instant_text(at), "abandonedAt": None, "abandonedBy": None}
    if status is RaceStatus.FINAL:
        row["finalizedAt"] = instant_text(at)
    if status is RaceStatus.ABANDONED:
        row["abandonedAt"] = instant_text(at)
    return row


def race_update_row(poll: RacePoll) -> Row:
    """Return everything that a poll says of its race as a row of `races`."""
    at = poll.timing.polled_at
    row = race_row(poll.race, at) | {
        "status": poll.status.value,
        "last_poll_time": instant_text(at),
        "apiGeneratedTime": instant_text(poll.generated_at),
        "contentHash": poll.fingerprint,
    }
    if poll.transition is not None:
        row |= status_change(poll.transition.after, poll.transition.seen_at)
    if poll.race.status is RaceStatus.ABANDONED:
        row["abandonedBy"] = BY_EVENT
    if poll.moved:
        row["movedRunners"] = moved_runners_text(poll)
    return row


SUMMARY_COLUMNS = (
    "$id",
    "meetingId",
    "raceNumber",
    "name",
    "startTime",
    "status",
    "entrantsImportedAt",
    "entrantsAttempts",
)


def race_summary(row: StoredRow) -> RaceSummary:
    """Return a race as a list needs it, from a stored row with `SUMMARY_COLUMNS`."""
    return RaceSummary(
        race_id=row["$id"],
        meeting_id=row["meetingId"],
        race_number=row["raceNumber"],
        name=row["name"],
        advertised_start=parse_instant(row["startTime"]),
        status=stored_status(row["status"]),
        entrants_imported=row["entrantsImportedAt"] is not None,
        entrants_attempts=row["entrantsAttempts"] or 0,
    )


@lru_cache(maxsize=64)
def stored_status(text: str) -> RaceStatus:
    """Return a stored status; one that nobody knows counts as Open, so that the race is polled and corrected."""
    return RaceStatus.parse(text) or RaceStatus.OPEN


def _list(text: str | None) -> list[Any]:
    """Return the JSON list that a column holds; an empty column is an empty list."""
    return list(orjson.loads(text)) if text else []
