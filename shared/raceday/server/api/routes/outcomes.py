"""What is in a race's pools, and how it ended. Both have a second, shorter path."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from raceday.server.api.desk import desk_of
from raceday.server.api.errors import NotStored
from raceday.server.api.models.pools import RacePoolsAnswer
from raceday.server.api.models.results import RaceResultAnswer
from raceday.server.api.parameters import asked
from raceday.server.api.queries import pools, results
from raceday.server.api.routes.described import described
from raceday.server.api.routes.of_race import OfRace, unknown_race

router = APIRouter(tags=["pools and results"])
_POOLS = TypeAdapter(RacePoolsAnswer)
_RESULT = TypeAdapter(RaceResultAnswer)


@router.get("/api/race-pools", summary="Pools of a race", **described(RacePoolsAnswer, OfRace, errors=(404,)))
@router.get("/api/pools", summary="As /api/race-pools", **described(RacePoolsAnswer, OfRace, errors=(404,)))
async def show_pools(request: Request) -> Response:
    """The totals of a race's pools in cents; zeros from its import until the feed tells."""
    wanted = asked(request, OfRace)
    stored, body = await desk_of(request).json(pools.OF_RACE, (wanted.race_id,))
    if not stored:
        raise unknown_race(wanted.race_id)
    if body is None:
        raise NotStored(f"race {wanted.race_id} has no pools yet: they come with its import")
    return desk_of(request).answer(body, _POOLS)


@router.get("/api/race-results", summary="Result of a race", **described(RaceResultAnswer, OfRace, errors=(404,)))
@router.get("/api/results", summary="As /api/race-results", **described(RaceResultAnswer, OfRace, errors=(404,)))
async def show_result(request: Request) -> Response:
    """The placings and dividends of a race; 404 until there are any."""
    wanted = asked(request, OfRace)
    stored, body = await desk_of(request).json(results.OF_RACE, (wanted.race_id,))
    if not stored:
        raise unknown_race(wanted.race_id)
    if body is None:
        raise NotStored(f"race {wanted.race_id} has no result yet: ask again when its status is interim or final")
    return desk_of(request).answer(body, _RESULT)
