"""Webhooks are signed so that a receiver who knows only the convention can check them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from alert_steps import StandingClock
from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.domain.alerts.notification import StoredNotification
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.outbound.http import OutboundAnswer
from raceday.outbound.webhook import WebhookSender, signed_headers, webhook_body

NOW = datetime(2026, 11, 22, 4, 0, 0, 900_000, tzinfo=UTC)
TOLD = StoredNotification(
    "n1", "ann", "7 Cérise shortened 41.7 %", "Win price …", "odds_shortening", "r", "e", "c", NOW, 41.7, 12.0, 7.0, 5
)
DELIVERY = Delivery(TOLD, owned=True)
TO = AlertChannels("ann", "https://hooks.example/1", "a plain secret, long", push=True)


class FakeHttp:
    """Answers every request alike and keeps what was asked."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.asked: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> OutboundAnswer:
        self.asked.append((url, body, headers))
        return OutboundAnswer(self.status, "", b"")


def checked(headers: Mapping[str, str], body: bytes, key: bytes) -> bool:
    """Check a signature as a receiver would, from the convention's words alone."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"].split(",") == ["v1", expected]


def send_webhook(status: int, to: AlertChannels = TO) -> FakeHttp:
    http = FakeHttp(status)
    asyncio.run(WebhookSender(http, StandingClock(NOW)).send(DELIVERY, to))  # type: ignore[arg-type]
    return http


def test_a_webhook_is_signed_with_the_text_as_it_stands():
    [(url, body, headers)] = send_webhook(200).asked
    assert url == "https://hooks.example/1"
    assert headers["webhook-id"] == "n1"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert checked(headers, body, b"a plain secret, long")
    assert not checked(headers, body + b" ", b"a plain secret, long")
    assert not checked(headers, body, b"another")


def test_a_secret_of_the_convention_is_base64_behind_its_mark():
    key = bytes(range(24))
    secret = "whsec_" + base64.b64encode(key).decode()
    assert checked(signed_headers("n1", NOW, b"{}", secret), b"{}", key)


def test_a_body_says_what_the_row_says():
    body = json.loads(webhook_body(DELIVERY))
    assert (body["type"], body["data"]["title"]) == ("raceday.odds_shortening", "7 Cérise shortened 41.7 %")
    assert datetime.fromisoformat(body["timestamp"]) == NOW
    assert (body["data"]["valueBefore"], body["data"]["valueAfter"], body["data"]["timeInterval"]) == (12.0, 7.0, 5)


@pytest.mark.parametrize("status", [301, 302, 308, 410])
def test_a_redirect_and_a_receiver_that_is_gone_are_not_tried_again(status: int):
    with pytest.raises(OutboundRefused, match=str(status)):
        send_webhook(status)


@pytest.mark.parametrize("status", [400, 404, 408, 429, 500, 503])
def test_any_other_answer_is_tried_again(status: int):
    with pytest.raises(OutboundUnavailable, match=str(status)):
        send_webhook(status)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "webhookSecret"),
        ("whsec_not base64!", "base64"),
        ("whsec_é", "base64"),
        ("whsec_", "0 bytes: it must have at least 16"),
        ("whsec_AAAAAAAAAAAAAAAAAAAA", "15 bytes"),
        ("fifteen bytes..", "15 bytes"),
    ],
)
def test_nothing_goes_out_unsigned_or_under_a_key_that_can_be_guessed(secret: str, reason: str):
    with pytest.raises(OutboundRefused, match=reason):
        send_webhook(200, AlertChannels("ann", "https://hooks.example/1", secret))
