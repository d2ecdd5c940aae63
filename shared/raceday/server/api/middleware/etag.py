"""An ETag for every answer that is whole, and 304 for who has it already."""

from __future__ import annotations

from hashlib import blake2b

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT_BY_304 = ("cache-control", "etag", "vary")


class ETags:
    """Tags the body as it is before compression, so that the tag is the same however it travels."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answers to GET that are OK are tagged."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        tagged = _Tagged(Headers(scope=scope).get("if-none-match", ""), send)
        await self._app(scope, receive, tagged)


class _Tagged:
    def __init__(self, known: str, send: Send) -> None:
        self._known = {tag.strip().removeprefix("W/") for tag in known.split(",") if tag.strip()}
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _taggable(message):
            self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        start, self._start = self._start, None
        if message.get("more_body", False):
            # An answer in parts (a file) goes out as it comes.
            await self._send(start)
            await self._send(message)
            return
        headers = MutableHeaders(scope=start)
        headers["ETag"] = tag = f'"{blake2b(message.get("body", b""), digest_size=16).hexdigest()}"'
        if tag in self._known or "*" in self._known:
            kept = [pair for pair in start["headers"] if pair[0].decode("latin-1") in _KEPT_BY_304]
            start, message = {**start, "status": 304, "headers": kept}, {**message, "body": b""}
        await self._send(start)
        await self._send(message)


def _taggable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and "etag" not in headers and headers.get("cache-control") != "no-store"
