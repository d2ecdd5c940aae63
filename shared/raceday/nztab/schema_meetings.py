"""The day's programme as `/meetings`, `/meetings/{id}` and `/list` send it."""

from __future__ import annotations

from raceday.nztab.schema import FeedEcho, FeedHeader, FeedModel, Rows, Whole
from raceday.nztab.timestamps import Rfc3339, Start


class FeedMeetingRace(FeedModel):
    """A race in a meeting's programme."""

    id: str
    start_time: Start
    race_number: Whole | None = None
    name: str | None = None
    tote_start_time: str | None = None
    status: str | None = None
    distance: Whole | None = None
    track_condition: str | None = None
    weather: str | None = None
    protest: bool | None = None
    protest_reason: str | None = None


class FeedMeeting(FeedModel):
    """A meeting; its id is called `meeting`. `date` is its racing day at midnight and no instant."""

    meeting: str
    date: str | None = None
    name: str | None = None
    country: str | None = None
    state: str | None = None
    category: str | None = None
    category_name: str | None = None
    track_condition: str | None = None
    tote_status: str | None = None
    tote_meeting_number: Whole | None = None
    tote_raceday_date: str | None = None
    video_channels: list[str] | None = None
    quaddie: list[Whole] | None = None
    early_quaddie: list[Whole] | None = None
    tote_running_double: list[list[Whole]] | None = None
    tote_treble: list[list[Whole]] | None = None
    races: Rows[FeedMeetingRace] | None = None


class FeedMeetingsBody(FeedModel):
    """The meetings of one page."""

    meetings: Rows[FeedMeeting]


class MeetingsResponse(FeedModel):
    """The whole answer of `/meetings` and of `/meetings/{id}`."""

    header: FeedHeader | None = None
    params: FeedEcho | None = None
    data: FeedMeetingsBody


class FeedListedRace(FeedModel):
    """A race in the flat list, which gives no status and leaves out a race number of 0."""

    id: str
    meeting_id: str
    advertised_start: Start
    actual_start: Rfc3339 | None = None
    number: Whole | None = None
    name: str | None = None
    silk_url: str | None = None
    protest: bool | None = None


class FeedRacesBody(FeedModel):
    """The races of one page and the token of the next one."""

    races: Rows[FeedListedRace]
    next_page_token: str | None = None


class RacesResponse(FeedModel):
    """The whole answer of `/list`."""

    header: FeedHeader | None = None
    params: FeedEcho | None = None
    data: FeedRacesBody


# Fields that every captured meeting (76) and programme race (748) carried.
EXPECTED_OF_MEETING = frozenset({"name", "date", "category", "category_name", "country", "races"})
EXPECTED_OF_MEETING_RACE = frozenset({"race_number", "name", "status", "distance"})
