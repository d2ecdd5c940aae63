"""One HTTP request to the feed. The only module that knows which HTTP library does it.

The library is frozen upstream and has a drop-in successor, hence the one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from raceday.errors import FeedUnavailable
from raceday.nztab.bounded_body import BoundedBody

if TYPE_CHECKING:
    from raceday.nztab.settings import FeedSettings

AsyncTransport = httpx.AsyncBaseTransport
"""What carries requests in place of the network: a stand-in feed in this process, or a test."""


KEEP_IDLE_S = 60.0
"""How long an idle connection is kept: longer than the usual pause between two polls of one process (15 to 30 s)."""


def pooled() -> AsyncTransport:
    """Return a pool of network connections that several clients may share; it belongs to one event loop."""
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(keepalive_expiry=KEEP_IDLE_S))


class InProcess(httpx.AsyncBaseTransport):
    """Answers out of an ASGI application in the same process: the stand-in feed without a network.

    Nothing travels, so nothing is asked to be compressed; a dropped connection is a read error as on a socket.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - an ASGI application has no nominal type
        """Take the application."""
        self._app = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises ReadError when the application breaks off."""
        request.headers.pop("Accept-Encoding", None)
        try:
            return await self._app.handle_async_request(request)
        except ConnectionResetError as dropped:
            raise httpx.ReadError("connection dropped", request=request) from dropped


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer, decompressed."""

    status: int
    body: bytes
    retry_after: str | None
    location: str | None


class FeedTransport:
    """A pool of connections to the feed that sends what settings say and keeps bodies within their bound."""

    def __init__(self, settings: FeedSettings, transport: AsyncTransport | None) -> None:
        """Connect through `transport`, which stays its owner's to close, or over connections of its own."""
        self._owned = pooled() if transport is None else None
        self._max_body_bytes = settings.max_body_bytes
        # No time-outs here: the caller bounds the whole attempt, which also holds for a body that only trickles.
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers=settings.headers(),
            timeout=None,  # noqa: S113
            transport=transport or self._owned,
        )

    async def get(self, path: str, query: Mapping[str, str | int]) -> HttpAnswer:
        """Ask once and return the answer, whatever its status.

        Raises FeedUnavailable when there was none (connection, reset, broken protocol), FeedContractError when
        its body is too long or does not decompress.
        """
        try:
            async with self._http.stream("GET", path, params=query) as response:
                body = BoundedBody(response.headers.get("content-encoding", ""), self._max_body_bytes)
                async for chunk in response.aiter_raw():
                    body.feed(chunk)
                return HttpAnswer(
                    status=response.status_code,
                    body=body.complete(),
                    retry_after=response.headers.get("retry-after"),
                    location=response.headers.get("location"),
                )
        except httpx.TransportError as error:
            raise FeedUnavailable(f"{type(error).__name__}: {error}".rstrip(": ")) from error

    async def aclose(self) -> None:
        """Close the connections that are its own."""
        if self._owned is not None:
            await self._http.aclose()
