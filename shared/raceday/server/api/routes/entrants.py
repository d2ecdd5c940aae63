"""The runners of a race with their histories."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from raceday.server.api.desk import desk_of
from raceday.server.api.models.entrants import EntrantAnswer
from raceday.server.api.parameters import asked
from raceday.server.api.queries import entrants
from raceday.server.api.routes.described import described
from raceday.server.api.routes.of_race import OfRace, unknown_race

router = APIRouter(tags=["entrants"])
_ENTRANTS = TypeAdapter(list[EntrantAnswer])


class EntrantsAsked(OfRace):
    """Whose runners are wanted, and how much of their past."""

    history_limit: int | None = Field(
        default=None,
        ge=0,
        le=500,
        description="Latest rows of each history for each runner; the server's setting (50) without one.",
        examples=[50],
    )


@router.get(
    "/api/entrants", summary="Runners of a race", **described(list[EntrantAnswer], EntrantsAsked, errors=(404,))
)
async def list_entrants(request: Request) -> Response:
    """The runners of a race, by number, each with the latest of its odds and money, oldest first as charts go."""
    wanted = asked(request, EntrantsAsked)
    desk = desk_of(request)
    limit = desk.settings.history_limit if wanted.history_limit is None else wanted.history_limit
    _, body = await desk.json(entrants.WITH_HISTORY, (limit, wanted.race_id))
    if body is None:
        raise unknown_race(wanted.race_id)
    return desk.answer(entrants.with_zulu(body), _ENTRANTS)
