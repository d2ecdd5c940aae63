"""Meetings."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from raceday.server.api.desk import desk_of
from raceday.server.api.errors import NotStored
from raceday.server.api.models.meetings import MeetingAnswer
from raceday.server.api.parameters import Asked, RacingDate, asked, path_id
from raceday.server.api.queries import meetings
from raceday.server.api.routes.described import MEETING_PATH, NoParameters, described
from raceday.store.rows.values import date_text

router = APIRouter(tags=["meetings"])
_MEETINGS = TypeAdapter(list[MeetingAnswer])
_MEETING = TypeAdapter(MeetingAnswer)
_CATEGORIES = {"thoroughbred": "T", "harness": "H", "greyhound": "G"}


class MeetingsAsked(Asked):
    """Which meetings are wanted."""

    date: RacingDate | None = Field(
        default=None,
        description="New Zealand racing date; without one the latest 500 meetings come.",
        examples=["2026-11-22"],
    )
    race_type: Literal["thoroughbred", "harness", "greyhound"] | None = Field(
        default=None, description="Code of racing; without one all come.", examples=["thoroughbred"]
    )


@router.get("/api/meetings", summary="Meetings by date and name", **described(list[MeetingAnswer], MeetingsAsked))
@router.get("/meetings", include_in_schema=False)
async def list_meetings(request: Request) -> Response:
    """The meetings of a racing date, by name, or the latest of all days, by date and name."""
    wanted = asked(request, MeetingsAsked)
    desk = desk_of(request)
    category = _CATEGORIES[wanted.race_type] if wanted.race_type else None
    if wanted.date is None:
        _, body = await desk.json(meetings.LATEST, (category, category))
    else:
        _, body = await desk.json(meetings.ON_DATE, (date_text(wanted.date), category, category))
    return desk.answer(body or "[]", _MEETINGS)


@router.get(
    "/api/meetings/{meetingId}",
    summary="One meeting",
    **described(MeetingAnswer, NoParameters, MEETING_PATH, errors=(404,)),
)
async def show_meeting(request: Request) -> Response:
    """One meeting."""
    asked(request, NoParameters)
    meeting_id = path_id(request, "meetingId")
    _, body = await desk_of(request).json(meetings.ONE, (meeting_id,))
    if body is None:
        raise unknown_meeting(meeting_id)
    return desk_of(request).answer(body, _MEETING)


def unknown_meeting(meeting_id: str) -> NotStored:
    """Return the error of a meeting that is not stored."""
    return NotStored(f"meeting {meeting_id} is not stored: /api/meetings lists what is")
