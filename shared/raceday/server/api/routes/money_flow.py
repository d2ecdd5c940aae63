"""The money-flow timeline of a race."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from raceday.errors import InvalidRequest
from raceday.server.api.coverage import interval_coverage
from raceday.server.api.desk import desk_of
from raceday.server.api.instants import utc_text
from raceday.server.api.models.money_flow import MoneyFlowTimeline
from raceday.server.api.parameters import Moment, StoredId, asked
from raceday.server.api.queries import money_flow
from raceday.server.api.routes.described import described
from raceday.server.api.routes.of_race import OfRace, unknown_race

router = APIRouter(tags=["money flow"])
_TIMELINE = TypeAdapter(MoneyFlowTimeline)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = r"^[0-9]{1,17}\.[A-Za-z0-9._-]{1,50}$"


class TimelineAsked(OfRace):
    """Which rows are wanted, and behind which."""

    entrants: list[StoredId] | None = Field(
        default=None,
        max_length=100,
        description="Runners, comma-separated or repeated; without any all of the race.",
        examples=[["6f6f5b0e-8a38-4f8c-9a4b-2f0b0a1d5c11"]],
    )
    pool_type: Literal["win", "place", "odds"] = Field(
        default="win", description="What is drawn; every row has the fields of all three.", examples=["win"]
    )
    limit: int = Field(default=200, ge=1, le=2000, description="Rows of a page.", examples=[200])
    cursor_after: str | None = Field(
        default=None,
        pattern=_CURSOR,
        description="`next_cursor` of the page before.",
        examples=["1763784000000000.0b1c2d3e"],
    )
    created_after: Moment | None = Field(
        default=None,
        description="Only rows made or changed after this instant, such as `next_created_at` of the last page.",
        examples=["2026-11-22T04:00:00Z"],
    )


@router.get(
    "/api/money-flow-timeline",
    summary="Money flow of a race, page by page",
    **described(MoneyFlowTimeline, TimelineAsked, errors=(404,)),
)
async def show_timeline(request: Request) -> Response:
    """One row for each runner and time bucket, by creation; follow `next_cursor` until it is null."""
    wanted = asked(request, TimelineAsked)
    after_at, after_id = _place(wanted.cursor_after)
    desk = desk_of(request)
    found = await desk.tuples(
        money_flow.TIMELINE,
        (
            *(wanted.race_id, wanted.entrants, after_at, after_id, wanted.created_after),
            *(wanted.limit, wanted.limit, wanted.race_id),
        ),
    )
    if not found:
        raise unknown_race(wanted.race_id)
    [(documents, runners, all_runners, up_to_one_more, last)] = found
    last_at, last_cursor = last or (None, None)
    entrant_ids = wanted.entrants or all_runners
    total = min(up_to_one_more, wanted.limit)
    follows = up_to_one_more > wanted.limit
    created_after = wanted.created_after and utc_text(wanted.created_after, "microseconds")
    about = {
        "success": True,
        "total": total,
        "race_id": wanted.race_id,
        "entrant_ids": entrant_ids,
        "pool_type": wanted.pool_type,
        "bucketed_data": True,
        "interval_coverage": interval_coverage(entrant_ids, runners, total),
        "next_cursor": last_cursor if follows else None,
        "next_created_at": last_at.replace("+00:00", "Z") if last_at else created_after,
        "limit": wanted.limit,
        "created_after": created_after,
        "message": None if total else "no money flow is stored for what was asked",
        "query_optimizations": ["the race's own days", "one row a runner and time bucket", "pages by creation and id"],
    }
    # The rows hold ids, words of ours and numbers: what looks like an instant of the session is one.
    documents = documents.replace('+00:00"', 'Z"')
    return desk.answer(f'{{"documents":{documents},{orjson.dumps(about).decode()[1:]}', _TIMELINE)


def _place(cursor: str | None) -> tuple[datetime | None, str | None]:
    """Return the creation and id of the row that a cursor names, its creation in microseconds."""
    if cursor is None:
        return None, None
    microseconds, row_id = cursor.split(".", 1)
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds)), row_id
    except OverflowError:
        raise InvalidRequest("cursorAfter", "is no cursor of ours: send next_cursor of the page before") from None
