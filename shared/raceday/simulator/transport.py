"""The feed without a network: an httpx transport straight into the application.

It keeps what a socket would do and a bare ASGI transport does not: a read that takes too long times out, and an
answer that breaks off is a read error. Nothing travels, so nothing is compressed: that would only burn time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from raceday.simulator.faulty_answers import ConnectionDropped

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class InProcessTransport(httpx.AsyncBaseTransport):
    """Answers out of an ASGI application in the same process, within the request's read timeout."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application."""
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raise ReadTimeout or ReadError as a socket would."""
        request.headers.pop("Accept-Encoding", None)
        read_timeout_s: float | None = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(read_timeout_s):
                return await self._inner.handle_async_request(request)
        except TimeoutError as slow:
            raise httpx.ReadTimeout("no answer in time", request=request) from slow
        except ConnectionDropped as dropped:
            raise httpx.ReadError("connection dropped", request=request) from dropped

    async def aclose(self) -> None:
        """Close the application's transport."""
        await self._inner.aclose()


def simulator_transport(app: ASGIApp) -> httpx.AsyncBaseTransport:
    """Return a transport for `httpx.AsyncClient(transport=…)` that answers out of the application."""
    return InProcessTransport(app)
