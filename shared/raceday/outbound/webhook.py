"""Notifications as signed webhooks, by the Standard Webhooks convention.

What is signed is `id.timestamp.body`, so that a receiver can tell that a message is ours, new, and not seen before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import orjson

from raceday.clock import Clock
from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundHttp

SECRET_PREFIX = "whsec_"  # noqa: S105 (the convention's mark, no secret)
LEAST_KEY_BYTES = 16
GONE = 410


class WebhookSender:
    """Posts notifications to the address that their user gave."""

    def __init__(self, http: OutboundHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        """Post one notification. Any 2xx is delivered.

        Raises `OutboundRefused` for an address that may not be asked, a redirect, a secret that is missing or no key,
        and 410; `OutboundUnavailable` for any other answer, or none.
        """
        if not to.webhook_secret:
            raise OutboundRefused("there is no webhookSecret to sign with")
        body = webhook_body(delivery)
        headers = signed_headers(delivery.notification.notification_id, self._clock.now(), body, to.webhook_secret)
        answer = await self._http.post(to.webhook_url, body, headers)
        if 200 <= answer.status < 300:
            return
        if 300 <= answer.status < 400 or answer.status == GONE:
            raise OutboundRefused(f"the address answers {answer.status}")
        raise OutboundUnavailable(f"the address answers {answer.status}")


def webhook_body(delivery: Delivery) -> bytes:
    """Return a notification as JSON: the event's type, when it was crossed, and its columns by their own names."""
    told = delivery.notification
    return orjson.dumps(
        {
            "type": f"raceday.{told.kind}",
            "timestamp": told.crossed_at,
            "data": {
                "notificationId": told.notification_id,
                "userId": told.user_id,
                "title": told.title,
                "message": told.message,
                "raceId": told.race_id,
                "entrantId": told.entrant_id,
                "configId": told.config_id,
                "timeInterval": told.bucket,
                "valueBefore": told.value_before,
                "valueAfter": told.value_after,
                "change": told.change,
                "color": told.colour,
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
    try:
        encoded = secret.startswith(SECRET_PREFIX)
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True) if encoded else secret.encode()
    except ValueError:
        raise OutboundRefused("webhookSecret begins with whsec_ and is no base64 behind it") from None
    if len(key) < LEAST_KEY_BYTES:
        raise OutboundRefused(f"webhookSecret is a key of {len(key)} bytes: it must have at least {LEAST_KEY_BYTES}")
    return key
