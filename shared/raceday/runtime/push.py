"""Notifications as push messages through the platform's own messaging, with the run's key."""

from __future__ import annotations

from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.errors import OutboundRefused, OutboundUnavailable, StoreUnavailable
from raceday.store.appwrite.refusal import CONFLICT, AppwriteRefused
from raceday.store.appwrite.rest import AppwriteRest

TITLE_CHARS = 256
_UNAUTHORIZED = 401
_OUT_OF_SCOPE = "general_unauthorized_scope"


class PushSender:
    """Asks the platform to push notifications to their users' devices; the key needs the scope `messages.write`."""

    def __init__(self, rest: AppwriteRest) -> None:
        """Ask through `rest`, whose limit of an attempt is that of a try."""
        self._rest = rest

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        """Push one notification under its own id, which the platform takes once: one that it has is delivered.

        One attempt: the next is the delivery's next try.
        Raises `OutboundRefused` for a user or a scope that the platform does not know, `OutboundUnavailable` when it
        does not answer, or not with this run's key: the next run has another.
        """
        told = delivery.notification
        message = {
            "messageId": told.notification_id,
            "title": told.title[:TITLE_CHARS],
            "body": told.message,
            "users": [to.user_id],
            "data": {"raceId": told.race_id, "entrantId": told.entrant_id},
        }
        try:
            await self._rest.call("POST", "/messaging/messages/push", body=message, once=True)
        except AppwriteRefused as error:
            if error.status == CONFLICT:
                return
            said = f"the platform's messaging answers {error.status} {error.kind}".rstrip()
            if error.status == _UNAUTHORIZED and error.kind != _OUT_OF_SCOPE:
                raise OutboundUnavailable(said) from error
            raise OutboundRefused(said, detail=str(error)) from error
        except StoreUnavailable as error:
            raise OutboundUnavailable(f"the platform's messaging does not answer: {error}") from error


class NoPush:
    """Stands where no platform is that could push."""

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:  # noqa: ARG002 (a sender's shape)
        """Refuse."""
        raise OutboundRefused("this process runs on no platform that could push")
