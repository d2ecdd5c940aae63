"""HEAD for every GET, the headers that keep browsers safe, and a limit for bodies."""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from raceday.server.api.desk import Desk
from raceday.server.api.errors import refused

LONGEST_BODY = 64 * 1024
"""Bytes; six alert ranges take two thousand."""
BODY_WITHIN_S = 10
"""So long may a body take to come: nobody holds a connection by sending it a byte at a time."""
DOCS_PATH = "/api-docs"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_DOCS_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_NO_GZIP = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)
_OVER_TLS = ("Strict-Transport-Security", "max-age=31536000")


class SafeHeaders:
    """Adds the security headers to every answer; HSTS only where the request came over TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add to its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith(DOCS_PATH):
                    headers["Content-Security-Policy"] = _DOCS_POLICY
                if scope["scheme"] == "https":
                    headers[_OVER_TLS[0]] = _OVER_TLS[1]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Heads:
    """Answers HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, HEAD as GET."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, without_body)
        finally:
            scope["route"] = inner.get("route")


class Uncompressed:
    """Hides `Accept-Encoding` from whoever would compress for a caller that refuses it with `gzip;q=0`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and _NO_GZIP.search(Headers(scope=scope).get("accept-encoding", "")):
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies that are too long: by what they say of themselves, else as soon as they are."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body of a request that has one, and pass both on."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdigit() and int(said) > LONGEST_BODY:
            await self._too_long(scope)(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _body(receive)
        except TimeoutError:
            details = f"the body did not come within {BODY_WITHIN_S} seconds: send it at once"
            await refused(self._desk.log, scope, 408, "Body too slow", details, {"Connection": "close"})(
                scope, receive, send
            )
            return
        if body is None:
            return
        if len(body) > LONGEST_BODY:
            await self._too_long(scope)(scope, receive, send)
            return
        await self._app(scope, _Read(body, receive), send)

    def _too_long(self, scope: Scope) -> Response:
        details = f"a body may have {LONGEST_BODY} bytes: send less at once"
        return refused(self._desk.log, scope, 413, "Body too long", details)


async def _body(receive: Receive) -> bytes | None:
    """Return a body, of one that is too long not all; None when the caller went away."""
    body = b""
    while len(body) <= LONGEST_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


class _Read:
    """Gives a body that was read already, then whatever comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
