"""Who may call, and how often."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from math import ceil
from time import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from raceday.server.api.desk import Desk
from raceday.server.api.errors import refused

_OPEN = frozenset({"/health"})
_MEASURED = "/metrics"


class Keyring:
    """The API keys that are valid; without any, everybody may call."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = tuple(key.encode() for key in keys)

    def opens(self, headers: Headers) -> bool:
        """Whether a request has a valid key, in a time that does not depend on how much of it is right."""
        sent = sent_key(headers)
        right = sum(compare_digest(sent, key) for key in self._keys)
        return right > 0 or not self._keys


def sent_key(headers: Headers) -> bytes:
    """Return the key of a request, empty when it has none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    return key.encode("latin-1")


class KeyGate:
    """Refuses who has no valid key, but for `/health`, which a container's check asks."""

    def __init__(self, app: ASGIApp, desk: Desk, keyring: Keyring) -> None:
        self._app = app
        self._desk = desk
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its key is valid."""
        if scope["type"] != "http" or scope["path"] in _OPEN or self._keyring.opens(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        answer = refused(
            self._desk.log,
            scope,
            401,
            "API key required",
            "send a valid key as X-API-Key, or as Authorization: Bearer; whoever runs the server has it",
            {"WWW-Authenticate": "Bearer"},
        )
        await answer(scope, receive, send)


class RateGate:
    """Refuses who asks too often: each valid key for itself, everybody else by address."""

    def __init__(self, app: ASGIApp, desk: Desk, allowed: list[RateLimitItem], keyring: Keyring) -> None:
        self._app = app
        self._desk = desk
        self._allowed = allowed
        self._keyring = keyring
        self._counters = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its caller has some left."""
        if scope["type"] != "http" or self._unlimited(scope):
            await self._app(scope, receive, send)
            return
        caller = self._caller(scope)
        over = next((limit for limit in self._allowed if not self._counters.hit(limit, caller)), None)
        if over is None:
            await self._app(scope, receive, send)
            return
        free_at = self._counters.get_window_stats(over, caller).reset_time
        wait_s = max(1, ceil(free_at - time()))
        answer = refused(
            self._desk.log,
            scope,
            429,
            "Too many requests",
            f"{over} are allowed: try again in {wait_s} seconds",
            {"Retry-After": str(wait_s)},
        )
        await answer(scope, receive, send)

    def _unlimited(self, scope: Scope) -> bool:
        """Whether nobody counts: for checks, and for measurements unless it is to guess a key."""
        path = scope["path"]
        return path in _OPEN or (path == _MEASURED and self._keyring.opens(Headers(scope=scope)))

    def _caller(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        key = sent_key(headers)
        if key and self._keyring.opens(headers):
            return sha256(key).hexdigest()
        client = scope.get("client")
        return client[0] if client else "unknown"
