"""Races as they are answered."""

from __future__ import annotations

from pydantic import Field

from raceday.server.api.models.shape import Day, Instant, RaceStatus, RaceType, Shape


class RaceAnswer(Shape):
    """A race in a list."""

    race_id: str
    meeting_id: str | None
    name: str = Field(examples=["Maiden Stakes"])
    race_number: int
    start_time: Instant
    status: RaceStatus
    actual_start: Instant | None
    distance: int | None = Field(description="Metres.")
    track_condition: str | None
    weather: str | None
    type: str | None = Field(description="`T`, `H` or `G`.")
    race_date_nz: str | None
    start_time_nz: str | None
    entrant_count: int | None = Field(description="Runners, scratched ones included.")
    field_size: int | None = Field(description="Runners that are not scratched.")
    last_poll_time: Instant | None
    created_at: Instant
    updated_at: Instant


class RaceDetail(RaceAnswer):
    """One race with its meeting."""

    meeting_name: str | None
    country: str | None
    race_type: RaceType | None
    category: str | None
    meeting_date: Day | None
    track_direction: str | None
    track_surface: str | None
    rail_position: str | None
    tote_start_time: str | None
    total_prize_money: int | None = Field(description="Whole dollars.")
    positions_paid: int | None = Field(description="Places that the tote pays.")
    race_group: str | None
    race_class: str | None
    start_type: str | None
    comment: str | None
    silk_url: str | None
    video_channels: list[str] | None
    protest_lodged: bool | None
    protest_reason: str | None
    last_status_change: Instant | None
    finalized_at: Instant | None
    abandoned_at: Instant | None


class UpcomingWindow(Shape):
    """Between which advertised starts was looked."""

    lower_bound: Instant
    upper_bound: Instant
    window_minutes: int
    lookback_minutes: int


class UpcomingRaces(Shape):
    """Races that are not over and start soon, by start."""

    races: list[RaceAnswer]
    total: int
    timestamp: Instant
    window: UpcomingWindow


class NeighbourRace(Shape):
    """A race as far as a link to it needs."""

    race_id: str
    name: str
    race_number: int
    start_time: Instant
    meeting_id: str | None
    meeting_name: str | None


class RaceNavigation(Shape):
    """The races before and after one, by start; and the next one of all that is not over, which may be the same."""

    previousRace: NeighbourRace | None  # noqa: N815 (the client's name)
    nextRace: NeighbourRace | None  # noqa: N815 (the client's name)
    nextScheduledRace: NeighbourRace | None  # noqa: N815 (the client's name)
