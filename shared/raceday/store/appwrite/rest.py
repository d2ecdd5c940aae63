"""One call to the platform's REST API, asked until it is answered or its time is up.

Our own thin client: the official SDK has no time limit, no kept connection and no retry, takes 0.6 s of CPU to import
and prints warnings into the log (seen with 27.0.0).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
from stamina import AsyncRetryingCaller

from raceday.errors import StoreUnavailable
from raceday.store.appwrite.refusal import AppwriteRefused, is_worth_another_try, refusal
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.transport import AsyncTransport, HttpAnswer, NoAnswer, UnreadableBody, exchange

JsonObject = dict[str, Any]
CallObserver = Callable[[str, Mapping[str, object]], None]
"""Takes the name of what happened and its fields; never gets headers or bodies."""
PLATFORM_RETRY = "platform_retry"
"""An attempt failed and is made again; its field `error` says why."""

_LONGEST_PAUSE_S = 5.0


def unheard(_action: str, _fields: Mapping[str, object]) -> None:
    """Tell nobody."""


class AppwriteRest:
    """Calls of one run with one key, over connections that the process shares. `calls` counts requests, retries too."""

    def __init__(
        self, settings: AppwriteSettings, connections: AsyncTransport, observer: CallObserver = unheard
    ) -> None:
        """Ask through connections that stay their owner's to close."""
        self.settings = settings
        self.calls = 0
        self._connections = connections
        self._observer = observer
        self._base = settings.endpoint.rstrip("/")
        self._headers = settings.headers()
        self._retrying = AsyncRetryingCaller(
            attempts=settings.attempts,
            timeout=None,
            wait_initial=settings.first_retry_wait_s,
            wait_max=_LONGEST_PAUSE_S,
            wait_jitter=settings.first_retry_wait_s,
        )

    def again(self) -> AppwriteRest:
        """Return the same with a count of its own."""
        return AppwriteRest(self.settings, self._connections, self._observer)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Mapping[str, object] | None = None,
        unchanged_since: str | None = None,
        once: bool = False,
    ) -> JsonObject:
        """Return the JSON of a successful answer ({} for one without).

        `unchanged_since` makes an update or delete a compare-and-set: it is refused (409 row_update_conflict) when the
        row was written later. With `once` nothing is tried again: for what must not happen twice. Raises
        AppwriteRefused for an answer that would stay the same, StoreUnavailable when there was none in time: what
        was asked for may have happened all the same.
        """
        headers = dict(self._headers)
        content = b""
        if body is not None:
            headers["content-type"] = "application/json"
            content = orjson.dumps(body)
        if unchanged_since is not None:
            headers["x-appwrite-timestamp"] = unchanged_since
        return await self.send(method, path, query=query, headers=headers, content=content, once=once)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        once: bool = False,
    ) -> JsonObject:
        """As `call`, with a body of any kind; `headers` go over those of every request."""
        about = f"{method} {path}"
        url = f"{self._base}{path}{f'?{urlencode(query)}' if query else ''}"
        sent = {**self._headers, **(headers or {})}
        try:
            async with asyncio.timeout(self.settings.call_budget_s):
                if once:
                    return await self._attempt(about, url, sent, content)
                return await self._retrying(self._is_passing, self._attempt, about, url, sent, content)
        except TimeoutError:
            raise StoreUnavailable(f"{about}: no answer within {self.settings.call_budget_s} s") from None

    def _is_passing(self, error: Exception) -> bool:
        passing = isinstance(error, StoreUnavailable) and not isinstance(error, AppwriteRefused)
        if passing:
            self._observer(PLATFORM_RETRY, {"error": str(error)})
        return passing

    async def _attempt(self, about: str, url: str, headers: Mapping[str, str], content: bytes) -> JsonObject:
        self.calls += 1
        method = about.split(" ", 1)[0]
        try:
            async with asyncio.timeout(self.settings.attempt_timeout_s):
                answer = await exchange(
                    self._connections,
                    method,
                    url,
                    headers,
                    content=content,
                    max_body_bytes=self.settings.max_body_bytes,
                )
        except TimeoutError:
            limit_s = self.settings.attempt_timeout_s
            raise StoreUnavailable(f"{about}: no complete answer within {limit_s} s") from None
        except NoAnswer as error:
            raise StoreUnavailable(f"{about}: {error}") from error
        except UnreadableBody as error:
            raise StoreUnavailable(f"{about}: the answer {error}") from error
        return _content(self._without_key(answer), about)

    def _without_key(self, answer: HttpAnswer) -> HttpAnswer:
        """Return a refusal without our key, should it quote the headers that were sent: before its words are cut."""
        if answer.status < 400:
            return answer
        return replace(answer, body=answer.body.replace(self.settings.key.encode(), b"[redacted]"))


def _content(answer: HttpAnswer, about: str) -> JsonObject:
    """Return what a good answer holds; an answer that breaks off or is no JSON counts as none."""
    if answer.status >= 400:
        if is_worth_another_try(answer):
            raise StoreUnavailable(str(refusal(answer, about)))
        raise refusal(answer, about)
    if answer.status == 204 or not answer.body:
        return {}
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise StoreUnavailable(f"{about}: the answer ({answer.status}) is no JSON") from None
    if not isinstance(content, dict):
        raise StoreUnavailable(f"{about}: the answer ({answer.status}) is no JSON object")
    return content
