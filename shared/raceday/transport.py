"""One HTTP exchange. The only module that knows which HTTP library does it: the feed and the platform go through here.

The library is frozen upstream and has a drop-in successor, hence the one place. Transports are spoken to directly: a
client's redirects, cookies and sign-in are of no use here, and cost more than a poll's own arithmetic.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

AsyncTransport = httpx.AsyncBaseTransport
"""What carries requests: a pool of network connections, a stand-in server in this process, or a test."""

KEEP_IDLE_S = 60.0
"""How long an idle connection is kept: longer than the usual pause between two polls of one process (15 to 30 s)."""

_GZIP = zlib.MAX_WBITS | 16
_PLAIN = frozenset({"", "identity"})


class NoAnswer(Exception):
    """There was no complete answer: no connection, a reset, a broken protocol."""


class UnreadableBody(Exception):
    """The answer's body is too long, or does not decompress; `start` is how it begins."""

    def __init__(self, message: str, start: bytes = b"") -> None:
        super().__init__(message)
        self.start = start


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer, decompressed."""

    status: int
    body: bytes
    retry_after: str | None = None
    location: str | None = None
    content_type: str | None = None


def pooled() -> AsyncTransport:
    """Return a pool of network connections that several clients may share; it belongs to one event loop."""
    return httpx.AsyncHTTPTransport(verify=trust(), limits=httpx.Limits(keepalive_expiry=KEEP_IDLE_S))


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Return whom TLS trusts, read once per process: it takes some 25 ms of a cold start."""
    return httpx.create_ssl_context()


async def exchange(
    connections: AsyncTransport,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    content: bytes = b"",
    max_body_bytes: int,
) -> HttpAnswer:
    """Ask once and return the answer, whatever its status.

    No time limit here: the caller bounds the whole attempt, which also holds for a body that only trickles.
    Raises NoAnswer or UnreadableBody.
    """
    request = httpx.Request(method, url, headers=dict(headers), content=content or None)
    try:
        response = await connections.handle_async_request(request)
        async with aclosing(response):
            body = BoundedBody(response.headers.get("content-encoding", ""), max_body_bytes)
            async for chunk in response.aiter_raw():
                body.feed(chunk)
            return HttpAnswer(
                status=response.status_code,
                body=body.complete(),
                retry_after=response.headers.get("retry-after"),
                location=response.headers.get("location"),
                content_type=response.headers.get("content-type"),
            )
    except httpx.TransportError as error:
        raise NoAnswer(f"{type(error).__name__}: {error}".rstrip(": ")) from error


def multipart(fields: Mapping[str, str], file_name: str, content: bytes, content_type: str) -> tuple[str, bytes]:
    """Return a form with one file, called `file`, as its Content-Type and its body."""
    form = httpx.Request("POST", "", data=dict(fields), files={"file": (file_name, content, content_type)})
    return form.headers["content-type"], form.read()


class BoundedBody:
    """Collects and decompresses a body as it arrives; memory stays within the bound and one chunk."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        """Expect the given Content-Encoding. Raises UnreadableBody for one that was not asked for."""
        if encoding != "gzip" and encoding not in _PLAIN:
            raise UnreadableBody(f"came with Content-Encoding {encoding}, which was not asked for")
        self._decoder = None if encoding in _PLAIN else zlib.decompressobj(_GZIP)
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes as they came. Raises UnreadableBody when they are too many or no gzip."""
        if self._decoder is not None:
            room = self._max_bytes - self._size_bytes + 1
            try:
                chunk = self._decoder.decompress(chunk, room)
            except zlib.error as error:
                raise UnreadableBody(f"does not decompress: {error}", self._start()) from error
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            raise UnreadableBody(f"is longer than {self._max_bytes} bytes", self._start())
        self._chunks.append(chunk)

    def complete(self) -> bytes:
        """Return the whole body. Raises UnreadableBody when the compressed stream was cut short."""
        if self._decoder is not None and self._chunks and not self._decoder.eof:
            raise UnreadableBody("was cut short", self._start())
        return b"".join(self._chunks)

    def _start(self) -> bytes:
        return b"".join(self._chunks[:1])


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
