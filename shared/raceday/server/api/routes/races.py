"""Races: of a meeting, soon, and one of them."""

from __future__ import annotations

from datetime import timedelta

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from raceday.server.api.desk import desk_of
from raceday.server.api.instants import utc_text
from raceday.server.api.models.races import RaceAnswer, RaceDetail, RaceNavigation, UpcomingRaces
from raceday.server.api.parameters import Asked, StoredId, asked, path_id
from raceday.server.api.queries import navigation, races
from raceday.server.api.routes.described import RACE_PATH, NoParameters, described
from raceday.server.api.routes.meetings import unknown_meeting
from raceday.server.api.routes.of_race import OfRace, unknown_race

router = APIRouter(tags=["races"])
_RACES = TypeAdapter(list[RaceAnswer])
_RACE = TypeAdapter(RaceDetail)
_UPCOMING = TypeAdapter(UpcomingRaces)
_NEXT = TypeAdapter(RaceAnswer | None)
_NAVIGATION = TypeAdapter(RaceNavigation)


class RacesAsked(Asked):
    """Whose races are wanted."""

    meeting_id: StoredId = Field(description="The meeting.", examples=["0f0e4c1e-3f9a-4d55-a4a2-3f5f6f3f7d10"])


class UpcomingAsked(Asked):
    """How far to look, in minutes, and how many to show; what is too far is a mistake, not cut."""

    window_minutes: int = Field(default=120, ge=0, le=480, description="How far ahead.", examples=[120])
    lookback_minutes: int = Field(default=5, ge=0, le=120, description="How far back.", examples=[5])
    limit: int = Field(default=50, ge=1, le=100, description="At most so many.", examples=[50])


@router.get("/api/races", summary="Races of a meeting", **described(list[RaceAnswer], RacesAsked, errors=(404,)))
@router.get("/races", include_in_schema=False)
async def list_races(request: Request) -> Response:
    """The races of a meeting, by number; empty until they are imported."""
    wanted = asked(request, RacesAsked)
    _, body = await desk_of(request).json(races.OF_MEETING, (wanted.meeting_id,))
    if body is None:
        raise unknown_meeting(wanted.meeting_id)
    return desk_of(request).answer(body, _RACES)


@router.get("/api/races/upcoming", summary="Races soon", **described(UpcomingRaces, UpcomingAsked))
async def list_upcoming(request: Request) -> Response:
    """The races that are not over and start within a window around now, by start."""
    wanted = asked(request, UpcomingAsked)
    desk = desk_of(request)
    now = desk.state.clock.now()
    lower = now - timedelta(minutes=wanted.lookback_minutes)
    upper = now + timedelta(minutes=wanted.window_minutes)
    [(found, total)] = await desk.tuples(races.UPCOMING, (lower, upper, wanted.limit))
    head = {
        "total": total,
        "timestamp": utc_text(now),
        "window": {
            "lower_bound": utc_text(lower),
            "upper_bound": utc_text(upper),
            "window_minutes": wanted.window_minutes,
            "lookback_minutes": wanted.lookback_minutes,
        },
    }
    return desk.answer(f'{{"races":{found},{orjson.dumps(head).decode()[1:]}', _UPCOMING)


@router.get("/api/races/next-scheduled", summary="The next race", **described(RaceAnswer | None))
async def show_next(request: Request) -> Response:
    """The next race that is not over, `null` when there is none."""
    asked(request, NoParameters)
    desk = desk_of(request)
    _, body = await desk.json(races.NEXT_SCHEDULED, (desk.state.clock.now(),))
    return desk.answer(body or "null", _NEXT)


@router.get(
    "/api/races/navigation",
    summary="The races beside a race",
    **described(RaceNavigation, OfRace, errors=(404,)),
)
async def show_navigation(request: Request) -> Response:
    """The races before and after one in the order of start and id, and the next one that is not over."""
    wanted = asked(request, OfRace)
    desk = desk_of(request)
    _, body = await desk.json(navigation.NAVIGATION, (desk.state.clock.now(), wanted.race_id))
    if body is None:
        raise unknown_race(wanted.race_id)
    return desk.answer(body, _NAVIGATION)


@router.get("/api/races/{raceId}", summary="One race", **described(RaceDetail, NoParameters, RACE_PATH, errors=(404,)))
async def show_race(request: Request) -> Response:
    """One race with its meeting."""
    asked(request, NoParameters)
    race_id = path_id(request, "raceId")
    _, body = await desk_of(request).json(races.ONE, (race_id,))
    if body is None:
        raise unknown_race(race_id)
    return desk_of(request).answer(body, _RACE)
