"""A scripted feed for tests of the client: each request takes the next answer; time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from raceday.clock import Clock
from raceday.host.virtual_time import run_virtual
from raceday.nztab.budget import RequestBudget
from raceday.nztab.client import NzTabClient
from raceday.nztab.settings import FeedSettings

T = TypeVar("T")
Answer = httpx.Response | Exception | Callable[[httpx.Request], Any]
EPOCH = datetime(2025, 7, 17, 3, 20, tzinfo=UTC)


class Trickle(httpx.AsyncByteStream):
    """A body that comes in pieces, each after a pause."""

    def __init__(self, pieces: list[bytes], pause_s: float = 0.0, ends_with: Exception | None = None) -> None:
        self.pieces, self.pause_s, self.ends_with = pieces, pause_s, ends_with
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(self.pause_s)
            self.sent += 1
            yield piece
        if self.ends_with is not None:
            raise self.ends_with


class ScriptedFeed:
    """Answers in turn, the last answer again and again; keeps what was asked, when, and what was logged."""

    def __init__(self, *answers: Answer, settings: FeedSettings | None = None) -> None:
        self.answers = list(answers)
        self.settings = settings or FeedSettings()
        self.requests: list[httpx.Request] = []
        self.asked_at_s: list[float] = []
        self.log: list[tuple[str, Mapping[str, object]]] = []
        self.budget: RequestBudget | None = None

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.asked_at_s.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)
        made = answer(request)
        return await made if isinstance(made, Awaitable) else made

    def client(self, clock: Clock) -> NzTabClient:
        self.budget = self.budget or RequestBudget()
        return NzTabClient(
            self.settings,
            clock,
            transport=httpx.MockTransport(self.handle),
            budget=self.budget,
            log=lambda action, fields: self.log.append((action, fields)),
        )

    def ask(self, question: Callable[[NzTabClient], Awaitable[T]]) -> T:
        """Ask one question in virtual time and return its answer."""

        async def main(clock: Clock) -> T:
            client = self.client(clock)
            try:
                return await question(client)
            finally:
                await client.aclose()
                self.calls = client.calls
                self.took_s = asyncio.get_running_loop().time()

        return run_virtual(main, EPOCH)

    @property
    def attempts(self) -> list[Mapping[str, object]]:
        return [fields for action, fields in self.log if action == "feed_attempt"]


def json_answer(body: bytes, status: int = 200, **headers: str) -> httpx.Response:
    plain = {"content-type": "application/json", **headers}
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=plain)


async def never(_request: httpx.Request) -> httpx.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
