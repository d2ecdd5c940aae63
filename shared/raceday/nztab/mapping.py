"""One event response of the feed as a `RaceEvent` of the domain."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from raceday.domain.meeting import RaceCode
from raceday.domain.race import Race
from raceday.domain.race_poll import RaceEvent
from raceday.domain.racing_day import nz_clock, racing_date
from raceday.domain.status import RaceStatus
from raceday.errors import FeedContractError
from raceday.nztab.drift import DriftCounter
from raceday.nztab.mapping_pools import holds_of, pools_of
from raceday.nztab.mapping_results import result_of
from raceday.nztab.mapping_runners import entrants_of
from raceday.nztab.schema import FeedHeader
from raceday.nztab.schema_event import EXPECTED_OF_RACE, EventResponse, FeedEventBody, FeedRace, FeedRunner
from raceday.nztab.timestamps import from_unix, utc

_STATUSES = frozenset(RaceStatus)
_CODES = frozenset(RaceCode)

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far the feed's clock may run ahead of ours before its stamp counts as wrong."""


def event_from(
    response: EventResponse, received_at: datetime, drift: DriftCounter, *, with_price_history: bool = True
) -> RaceEvent:
    """Return the response as the domain sees it.

    `received_at` stands in for a header without a usable time. Raises FeedContractError when the race has no
    usable start, or no list of runners although it was not abandoned.
    """
    body = response.data
    seen_at = made_at(response.header, received_at, drift)
    race = _race(body.race, drift)
    runners = _runners(body, race)
    entrants, repeated_runners = entrants_of(runners, race, drift, with_price_history=with_price_history)
    pools, repeated_pools = pools_of(body.tote_pools or (), drift)
    holds = holds_of(body.money_tracker, [entrant.entrant_id for entrant in entrants])
    return RaceEvent(
        race=race,
        entrants=entrants,
        pools=pools,
        holds=holds.shares,
        result=result_of(body, race.status, seen_at, drift),
        generated_at=seen_at,
        foreign_tracker_ids=holds.foreign_ids,
        duplicates=repeated_runners + repeated_pools,
        drift=drift.counts,
        feed_error=body.error or "",
    )


def made_at(header: FeedHeader | None, received_at: datetime, drift: DriftCounter) -> datetime:
    """Return when the feed made a response, `received_at` when it does not say.

    A time still to come is not believed: every later response would count as older than this one.
    """
    stamp = utc(header.generated_time) if header else None
    if stamp is None:
        return received_at
    if stamp > received_at + CLOCK_TOLERANCE:
        drift.count("header.generated_time ahead of the clock")
        return received_at
    return stamp


def race_status(text: str | None, drift: DriftCounter) -> RaceStatus | None:
    """Return the status a text means; anything but the feed's own five words is counted, understood or not."""
    drift.unknown_value("race.status", text, _STATUSES)
    return RaceStatus.parse(text) if text else None


def _runners(body: FeedEventBody, race: Race) -> list[FeedRunner]:
    runners = body.runners if body.runners is not None else body.entrants
    if runners is None and race.status is not RaceStatus.ABANDONED:
        raise FeedContractError(f"the feed's answer about race {race.race_id} has no list of runners")
    return runners or []


def _race(race: FeedRace, drift: DriftCounter) -> Race:
    drift.missing("race", EXPECTED_OF_RACE, race.model_fields_set)
    drift.unknown_value("race.type", race.type, _CODES)
    status = race_status(race.status, drift)
    start = from_unix(race.advertised_start)
    if start is None:
        raise FeedContractError(
            f"race {race.event_id}: advertised_start {race.advertised_start} is not a time in Unix seconds"
        )
    prizes = race.prize_monies
    return Race(
        race_id=race.event_id,
        meeting_id=race.meeting_id,
        race_number=race.race_number,
        name=race.description or None,
        advertised_start=start,
        status=status,
        race_date_nz=_nz_date(race.race_date_nz, start),
        start_time_nz=race.start_time_nz or nz_clock(start),
        actual_start=_actual_start(from_unix(race.actual_start), start, status),
        distance_m=race.distance,
        track_condition=race.track_condition or None,
        track_surface=race.track_surface or None,
        track_direction=race.track_direction or None,
        rail_position=race.rail_position or None,
        weather=race.weather or None,
        category=race.type or None,
        start_type=race.start_type or None,
        race_group=race.group or None,
        race_class=race.class_ or None,
        comment=race.comment or None,
        prize_money_dollars=_whole_dollars(prizes.total_value) if prizes else None,
        entrant_count=race.entrant_count,
        field_size=race.field_size,
        positions_paid=race.positions_paid,
        silk_url=race.silk_url or None,
        silk_base_url=race.silk_base_url or None,
        video_channels=tuple(race.video_channels or ()),
        protest_lodged=race.protest,
        protest_reason=race.protest_reason or None,
    )


def _nz_date(text: str | None, start: datetime) -> date:
    """Return the feed's New Zealand date; the sister brand does not send one, then it follows from the start."""
    try:
        return date.fromisoformat(text) if text else racing_date(start)
    except ValueError:
        return racing_date(start)


def _actual_start(actual: datetime | None, advertised: datetime, status: RaceStatus | None) -> datetime | None:
    """Return when the race jumped; until it does, the feed repeats the advertised start."""
    has_started = status is not None and status.started
    return actual if has_started or actual != advertised else None


def _whole_dollars(dollars: float | None) -> int | None:
    return None if dollars is None else round(dollars)
