"""One HTTP request to the feed. The only module that knows which HTTP library does it.

The library is frozen upstream and has a drop-in successor, hence the one place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

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
    """Answers out of an ASGI application in the same process: a stand-in server without a network.

    Leaner than the HTTP library's own: nothing travels, so nothing is asked to be compressed and nothing streams.
    A connection that the application drops is a read error, as on a socket.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - an ASGI application has no nominal type
        """Take the application."""
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises ReadError when the application breaks off."""
        answer: dict[str, Any] = {"headers": [], "body": []}

        async def receive() -> dict[str, object]:
            # Read here, so that it costs nothing where the application does not ask for it, as the feed's does not.
            return {"type": "http.request", "body": await request.aread(), "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.update(status=message["status"], headers=message.get("headers", []))
            else:
                answer["body"].append(message.get("body", b""))

        try:
            await self._app(_asgi_scope(request), receive, send)
        except ConnectionResetError as dropped:
            raise httpx.ReadError("connection dropped", request=request) from dropped
        return httpx.Response(answer["status"], headers=answer["headers"], stream=_Whole(b"".join(answer["body"])))


class _Whole(httpx.AsyncByteStream):
    """A body that is there already."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def _asgi_scope(request: httpx.Request) -> dict[str, object]:
    """Return what an ASGI application is told of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), held) for name, held in request.headers.raw if name.lower() != b"accept-encoding"],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer, decompressed."""

    status: int
    body: bytes
    retry_after: str | None
    location: str | None


class FeedTransport:
    """Sends what the settings say over connections to the feed, and keeps bodies within their bound.

    It speaks to the transport itself: a client's redirects, cookies and sign-in are of no use here, and cost more
    than the poll's own arithmetic.
    """

    def __init__(self, settings: FeedSettings, transport: AsyncTransport | None) -> None:
        """Connect through `transport`, which stays its owner's to close, or over connections of its own."""
        self._connections = transport if transport is not None else pooled()
        self._owns_connections = transport is None
        self._max_body_bytes = settings.max_body_bytes
        self._base_url = settings.base_url.rstrip("/")
        self._headers = settings.headers()

    async def get(self, path: str, query: Mapping[str, str | int]) -> HttpAnswer:
        """Ask once and return the answer, whatever its status.

        No time limit here: the caller bounds the whole attempt, which also holds for a body that only trickles.
        Raises FeedUnavailable when there was none (connection, reset, broken protocol), FeedContractError when
        its body is too long or does not decompress.
        """
        question = f"?{urlencode(query)}" if query else ""
        request = httpx.Request("GET", f"{self._base_url}/{path}{question}", headers=self._headers)
        try:
            response = await self._connections.handle_async_request(request)
            async with aclosing(response):
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
        if self._owns_connections:
            await self._connections.aclose()
