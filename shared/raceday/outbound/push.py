"""Notifications as push messages through the platform's own messaging."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundHttp

TITLE_CHARS = 256
ALREADY_SENT = 409
_REFUSALS = frozenset({400, 401, 403, 404})
"""The request would be refused again: a wrong user, a missing scope, no messaging."""


class PushSender:
    """Asks the platform to push notifications to their users' devices."""

    def __init__(self, http: OutboundHttp, endpoint: str, headers: Mapping[str, str]) -> None:
        """Send to the platform's API at `endpoint`; `headers` name the project and hold the key."""
        self._http = http
        self._url = f"{endpoint.rstrip('/')}/messaging/messages/push"
        self._headers = {"content-type": "application/json", **headers}

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        """Push one notification; one that the platform has already is delivered. Errors as those of a webhook."""
        told = delivery.notification
        message = {
            "messageId": told.notification_id,
            "title": told.title[:TITLE_CHARS],
            "body": told.message,
            "users": [to.user_id],
            "data": {"raceId": told.race_id, "entrantId": told.entrant_id},
        }
        answer = await self._http.post(self._url, orjson.dumps(message), self._headers)
        if 200 <= answer.status < 300 or answer.status == ALREADY_SENT:
            return
        if answer.status in _REFUSALS:
            raise OutboundRefused(f"the platform's messaging answers {answer.status}")
        raise OutboundUnavailable(f"the platform's messaging answers {answer.status}")


class NoPush:
    """Stands where no platform is that could push."""

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:  # noqa: ARG002 (a sender's shape)
        """Refuse."""
        raise OutboundRefused("this process runs on no platform that could push")
