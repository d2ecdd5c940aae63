"""A user's alert ranges, to be read and saved, and what the user was told."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from raceday.server.api.alert_ranges import merged_rows, ranges_of
from raceday.server.api.desk import Desk, desk_of
from raceday.server.api.instants import utc_text
from raceday.server.api.models.alerts import AlertRanges, NotificationAnswer, SavedAlertRanges, SentRanges
from raceday.server.api.parameters import Asked, UserId, asked
from raceday.server.api.queries import alerts
from raceday.server.api.routes.described import NoParameters, described
from raceday.store.postgres.names import json_rows
from raceday.store.rows.alerts import config_row
from raceday.store.rows.values import instant_text
from raceday.store.tables import USER_ALERT_CONFIGS

router = APIRouter(tags=["alerts"])
_RANGES = TypeAdapter(AlertRanges)
_SAVED = TypeAdapter(SavedAlertRanges)
_NOTIFICATIONS = TypeAdapter(list[NotificationAnswer])


class UserAsked(Asked):
    """Whose ranges are wanted."""

    user_id: UserId = Field(default="Default User", description="The user.", examples=["Default User"])


class NotificationsAsked(UserAsked):
    """Whose notifications are wanted, and how many."""

    limit: int = Field(default=50, ge=1, le=200, description="At most so many.", examples=[50])


@router.get("/api/user-alert-configs", summary="A user's alert ranges", **described(AlertRanges, UserAsked))
async def show_ranges(request: Request) -> Response:
    """The six ranges of a user; what the user never saved is as by default, and nothing is written."""
    wanted = asked(request, UserAsked)
    desk = desk_of(request)
    return desk.answer(orjson.dumps(await _ranges(desk, wanted.user_id)), _RANGES)


@router.post(
    "/api/user-alert-configs", summary="Save a user's alert ranges", **described(SavedAlertRanges, errors=(408, 413))
)
async def save_ranges(request: Request, sent: SentRanges) -> Response:
    """Save the ranges that are sent, all or none; the rest stay. The answer is all six as they are now."""
    asked(request, NoParameters)
    desk = desk_of(request)
    present = await _ranges(desk, sent.user_id)
    now = desk.state.clock.now()
    rows = json_rows(USER_ALERT_CONFIGS, [config_row(row) for row in merged_rows(sent, present["indicators"])])
    await desk.state.database.execute(alerts.SAVE_RANGES, (rows, instant_text(now)))
    saved = await _ranges(desk, sent.user_id)
    return desk.answer(orjson.dumps(saved | {"success": True}), _SAVED, {"Cache-Control": "no-store"})


@router.get(
    "/api/notifications", summary="What a user was told", **described(list[NotificationAnswer], NotificationsAsked)
)
async def list_notifications(request: Request) -> Response:
    """The newest notifications of a user, newest first."""
    wanted = asked(request, NotificationsAsked)
    desk = desk_of(request)
    told = await desk.state.store.notifications_of(wanted.user_id, wanted.limit)
    body = [
        {
            "notification_id": one.notification_id,
            "user_id": one.user_id,
            "title": one.title,
            "message": one.message,
            "type": one.kind,
            "race_id": one.race_id or None,
            "entrant_id": one.entrant_id or None,
            "config_id": one.config_id or None,
            "crossed_at": utc_text(one.crossed_at),
            "value_before": one.value_before,
            "value_after": one.value_after,
            "change": one.change,
            "time_interval": one.bucket,
            "color": one.colour or None,
            "read": one.read,
        }
        for one in told
    ]
    return desk.answer(orjson.dumps(body), _NOTIFICATIONS)


async def _ranges(desk: Desk, user_id: str) -> dict[str, Any]:
    return ranges_of(user_id, await desk.tuples(alerts.RANGES_OF_USER, (user_id,)))
