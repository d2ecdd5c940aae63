"""Notifications as signed webhooks, by the Standard Webhooks convention.

What is signed is `id.timestamp.body`, so that a receiver can tell that a message is ours, new, and not seen before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

import orjson

from raceday.clock import Clock
from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundHttp

SECRET_PREFIX = "whsec_"  # noqa: S105 (the convention's mark, no secret)
GONE = 410


class WebhookSender:
    """Posts notifications to the address that their user gave."""

    def __init__(self, http: OutboundHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        """Post one notification. Any 2xx is delivered.

        Raises `OutboundRefused` for an address that may not be asked, a redirect, a missing secret and 410;
        `OutboundUnavailable` for any other answer, or none.
        """
        if not to.webhook_secret:
            raise OutboundRefused("there is no webhookSecret to sign with")
        body = webhook_body(delivery)
        headers = signed_headers(delivery.notification_id, self._clock.now(), body, to.webhook_secret)
        answer = await self._http.post(to.webhook_url, body, headers)
        if 200 <= answer.status < 300:
            return
        if 300 <= answer.status < 400 or answer.status == GONE:
            raise OutboundRefused(f"the address answers {answer.status}")
        raise OutboundUnavailable(f"the address answers {answer.status}")


def webhook_body(delivery: Delivery) -> bytes:
    """Return a notification as JSON: the event's type, when it was crossed, and its columns by their own names."""
    return orjson.dumps(
        {
            "type": f"raceday.{delivery.kind}",
            "timestamp": delivery.crossed_at,
            "data": {
                "notificationId": delivery.notification_id,
                "userId": delivery.user_id,
                "title": delivery.title,
                "message": delivery.message,
                "raceId": delivery.race_id,
                "entrantId": delivery.entrant_id,
                "configId": delivery.config_id,
                "timeInterval": delivery.bucket,
                "valueBefore": delivery.value_before,
                "valueAfter": delivery.value_after,
                "change": delivery.change,
                "color": delivery.colour,
            },
        }
    )


def signed_headers(message_id: str, at: datetime, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of a webhook sent at an instant; raises `OutboundRefused` for a secret that is no key."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _key(secret: str) -> bytes:
    """Return the key of a secret: base64 behind `whsec_`, any other text as it stands."""
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise OutboundRefused("webhookSecret begins with whsec_ and is no base64 behind it") from None
