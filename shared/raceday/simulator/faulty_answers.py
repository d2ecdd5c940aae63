"""The answers that go wrong, one kind per fault."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.responses import Response

from raceday.simulator.envelope import refused
from raceday.simulator.faults import BadJson, Fault

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from starlette.types import Receive, Scope, Send

JSON_TYPE = "application/json"
_SERVER_ERRORS = (500, 502, 503, 504)
_HTML = b"<!DOCTYPE html><html><head><title>Service temporarily unavailable</title></head><body></body></html>"
_WRONG_SHAPE = b'{"header":{"title":"Event Details"},"data":[]}'


class ConnectionDropped(ConnectionResetError):
    """Leaves the application in the middle of an answer, so that the server drops the connection."""


class DroppedResponse(Response):
    """Promises a body, sends the first bytes of it and breaks off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the promise, then drop the connection."""
        headers = [(b"content-type", JSON_TYPE.encode()), (b"content-length", b"40000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"header":{"title":', "more_body": True})
        raise ConnectionDropped


def refusal(status: int, reason: str, stamp: str, url: str) -> Response:
    """Return an error answer in the feed's own shape."""
    return Response(refused(status, reason, stamp, url), status, media_type=JSON_TYPE)


def server_error(rng: Random) -> Response:
    """Return one of the 5xx answers of a gateway: HTML, not the feed's shape."""
    return Response(_HTML, rng.choice(_SERVER_ERRORS), media_type="text/html")


def throttled(rng: Random, retry_after_s: int, now: datetime) -> Response:
    """Return a 429 that says when to come back, in seconds or as a date."""
    until = format_datetime(now + timedelta(seconds=retry_after_s), usegmt=True)
    retry_after = rng.choice((str(retry_after_s), until))
    return Response(b"Too Many Requests", 429, {"Retry-After": retry_after}, media_type="text/plain")


def spoilt(rng: Random, body: bytes) -> Response:
    """Return a 200 whose body is not what it says it is."""
    kind = rng.choice(tuple(BadJson))
    if kind is BadJson.HTML:
        return Response(_HTML, media_type="text/html")
    if kind is BadJson.WRONG_SHAPE:
        return Response(_WRONG_SHAPE, media_type=JSON_TYPE)
    return Response(body[: rng.randrange(1, max(2, len(body) - 1))], media_type=JSON_TYPE)


UNANSWERED = {Fault.STALL, Fault.RESET}
"""Faults after which the caller has no answer at all."""
