"""A race: what the programme says of it, and what a later response adds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from raceday.domain.status import RaceStatus


@dataclass(frozen=True, slots=True)
class Race:
    """A race as one response describes it; None means that this response does not say.

    `advertised_start` and `actual_start` are aware UTC. `actual_start` is None until the race has jumped.
    Prize money in whole dollars, distance in metres.
    """

    race_id: str
    meeting_id: str
    race_number: int | None
    name: str | None
    advertised_start: datetime
    status: RaceStatus | None
    race_date_nz: date
    start_time_nz: str
    actual_start: datetime | None = None
    tote_start_time: str | None = None
    distance_m: int | None = None
    track_condition: str | None = None
    track_surface: str | None = None
    track_direction: str | None = None
    rail_position: str | None = None
    weather: str | None = None
    category: str | None = None
    start_type: str | None = None
    race_group: str | None = None
    race_class: str | None = None
    comment: str | None = None
    prize_money_dollars: int | None = None
    entrant_count: int | None = None
    field_size: int | None = None
    positions_paid: int | None = None
    silk_url: str | None = None
    silk_base_url: str | None = None
    video_channels: tuple[str, ...] = ()
    protest_lodged: bool | None = None
    protest_reason: str | None = None


@dataclass(frozen=True, slots=True)
class StatusTransition:
    """A race moved from one status to another."""

    before: RaceStatus
    after: RaceStatus
    seen_at: datetime
    backward: bool
