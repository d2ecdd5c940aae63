"""A race meeting as it is answered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raceday.server.api.models.shape import Day, Instant, RaceType, Shape


class MeetingAnswer(Shape):
    """A race meeting: one course, one racing day, one code of racing."""

    meeting_id: str
    meeting_name: str = Field(examples=["Ellerslie"])
    country: str = Field(description="The feed's code.", examples=["NZ"])
    state: str | None
    race_type: RaceType | None
    date: Day | None
    status: Literal["active", "completed", "cancelled"]
    category: str | None = Field(description="`T`, `H` or `G`.")
    category_name: str | None
    track_condition: str | None
    track_direction: str | None
    track_surface: str | None
    rail_position: str | None
    weather: str | None
    tote_status: str | None
    created_at: Instant
    updated_at: Instant
