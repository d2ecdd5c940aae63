"""Meetings and their programmes of the feed as meetings and races of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple

from raceday.domain.meeting import Meeting, RaceCode
from raceday.domain.race import Race
from raceday.domain.racing_day import nz_clock, racing_date
from raceday.nztab.drift import DriftCounter
from raceday.nztab.mapping import made_at, race_status
from raceday.nztab.schema_meetings import (
    EXPECTED_OF_MEETING,
    EXPECTED_OF_MEETING_RACE,
    FeedListedRace,
    FeedMeeting,
    FeedMeetingRace,
    MeetingsResponse,
)
from raceday.nztab.timestamps import utc

_CODES = frozenset(RaceCode)
_TOTE_STATUSES = frozenset({"Open", "Closed"})


class ProgrammedMeeting(NamedTuple):
    """A meeting with the races of its programme."""

    meeting: Meeting
    races: list[Race]


def programme_from(response: MeetingsResponse, received_at: datetime, drift: DriftCounter) -> list[ProgrammedMeeting]:
    """Return the meetings of a response with their races; a meeting without any date is dropped and counted."""
    generated_at = made_at(response.header, received_at, drift)
    programme = []
    for listed in response.data.meetings:
        races = races_of_meeting(listed, drift)
        day = _meeting_date(listed, races)
        if day is None:
            drift.count("meeting dropped")
            continue
        programme.append(ProgrammedMeeting(_meeting(listed, day, generated_at, drift), races))
    return programme


def races_of_meeting(meeting: FeedMeeting, drift: DriftCounter) -> list[Race]:
    """Return the races of a meeting's programme."""
    return [_race(race, meeting, drift) for race in meeting.races or ()]


def listed_races(races: Iterable[FeedListedRace]) -> list[Race]:
    """Return the races of the flat list; it says nothing of their status."""
    return [
        Race(
            race_id=race.id,
            meeting_id=race.meeting_id,
            race_number=race.number or 0,
            name=race.name or None,
            advertised_start=race.advertised_start.astimezone(UTC),
            status=None,
            race_date_nz=racing_date(race.advertised_start),
            start_time_nz=nz_clock(race.advertised_start),
            actual_start=_different(utc(race.actual_start), race.advertised_start),
            silk_url=race.silk_url or None,
            protest_lodged=race.protest,
        )
        for race in races
    ]


def _different(actual: datetime | None, advertised: datetime) -> datetime | None:
    """Return when a race jumped; until it does, the feed repeats the advertised start."""
    return actual if actual != advertised else None


def _meeting(meeting: FeedMeeting, day: date, generated_at: datetime, drift: DriftCounter) -> Meeting:
    drift.missing("meeting", EXPECTED_OF_MEETING, meeting.model_fields_set)
    drift.unknown_value("meeting.category", meeting.category, _CODES)
    drift.unknown_value("meeting.tote_status", meeting.tote_status, _TOTE_STATUSES)
    return Meeting(
        meeting_id=meeting.meeting,
        name=meeting.name or None,
        country=meeting.country or None,
        category=meeting.category or None,
        category_name=meeting.category_name or None,
        meeting_date=day,
        state=meeting.state or None,
        track_condition=meeting.track_condition or None,
        tote_status=meeting.tote_status or None,
        tote_meeting_number=meeting.tote_meeting_number,
        video_channels=tuple(meeting.video_channels or ()),
        quaddie=tuple(meeting.quaddie or ()),
        early_quaddie=tuple(meeting.early_quaddie or ()),
        tote_running_doubles=tuple(tuple(legs) for legs in meeting.tote_running_double or ()),
        tote_trebles=tuple(tuple(legs) for legs in meeting.tote_treble or ()),
        generated_at=generated_at,
    )


def _meeting_date(meeting: FeedMeeting, races: list[Race]) -> date | None:
    """Return a meeting's racing date: its own, the tote's, or that of its first race.

    The feed writes it as midnight UTC (`2025-07-17T00:00:00Z`), but means the day and no instant.
    """
    for text in (meeting.date, meeting.tote_raceday_date):
        try:
            return date.fromisoformat((text or "")[:10])
        except ValueError:
            continue
    return min((race.race_date_nz for race in races), default=None)


def _race(race: FeedMeetingRace, meeting: FeedMeeting, drift: DriftCounter) -> Race:
    drift.missing("meeting.race", EXPECTED_OF_MEETING_RACE, race.model_fields_set)
    start = race.start_time.astimezone(UTC)
    return Race(
        race_id=race.id,
        meeting_id=meeting.meeting,
        race_number=race.race_number,
        name=race.name or None,
        advertised_start=start,
        status=race_status(race.status, drift),
        race_date_nz=racing_date(start),
        start_time_nz=nz_clock(start),
        tote_start_time=race.tote_start_time or None,
        distance_m=race.distance,
        track_condition=race.track_condition or None,
        weather=race.weather or None,
        category=meeting.category or None,
        protest_lodged=race.protest,
        protest_reason=race.protest_reason or None,
    )
