"""The HTTP face of a feed: the four racing resources as an ASGI application, with faults on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Route

from raceday.simulator.envelope import BASE_PATH
from raceday.simulator.event_options import EventOptions
from raceday.simulator.faults import PROFILES, Fault, FaultDice, FaultProfile
from raceday.simulator.faulty_answers import (
    JSON_TYPE,
    UNANSWERED,
    DroppedResponse,
    refusal,
    server_error,
    spoilt,
    throttled,
)
from raceday.simulator.racing_feed import DEFAULT_LIMIT, BadQuery
from raceday.simulator.request_log import FeedRequest
from raceday.simulator.wire import nano_stamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from raceday.simulator.faults import Verdict
    from raceday.simulator.racing_feed import RacingFeed
    from raceday.simulator.request_log import RequestLog

_SMALLEST_TO_COMPRESS = 1024


@dataclass(frozen=True, slots=True)
class FeedServer:
    """Answers requests out of a feed, after asking the dice whether it may."""

    feed: RacingFeed
    dice: FaultDice
    log: RequestLog | None
    sleep: Callable[[float], Awaitable[None]]

    async def meetings(self, request: Request) -> Response:
        """Answer `/meetings`; `type` is understood as `category`, as it is in the field."""
        query = request.query_params

        def answer() -> bytes:
            return self.feed.meetings(
                query.get("date_from"),
                query.get("date_to"),
                _number(request, "limit", DEFAULT_LIMIT),
                _number(request, "offset", 0),
                query.get("category") or query.get("type"),
                query.get("country"),
            )

        return await self._answer(request, answer)

    async def meeting(self, request: Request) -> Response:
        """Answer `/meetings/{id}`."""
        return await self._answer(request, lambda: self.feed.meeting(request.path_params["id"]))

    async def event(self, request: Request) -> Response:
        """Answer `/events/{id}`."""
        event_id = request.path_params["id"]
        options = EventOptions.from_query(request.query_params)
        return await self._answer(request, lambda: self.feed.event(event_id, options), event_id)

    async def races_list(self, request: Request) -> Response:
        """Answer `/list`."""
        query = request.query_params

        def answer() -> bytes:
            return self.feed.races_list(
                query.get("date_from"),
                query.get("date_to"),
                _number(request, "limit", DEFAULT_LIMIT),
                query.get("page_token", ""),
            )

        return await self._answer(request, answer)

    async def _answer(
        self, request: Request, answer: Callable[[], bytes | None], event_id: str | None = None
    ) -> Response:
        verdict = self.dice.verdict(request.url.path, is_event=event_id is not None)
        asked_at = self.feed.now()
        if verdict.latency_s:
            await self.sleep(verdict.latency_s)
        response = self._answer_of(request, verdict, answer)
        if self.log is not None:
            status = 0 if verdict.fault in UNANSWERED else response.status_code
            self.log.add(FeedRequest(asked_at, request.url.path, event_id, status))
        if verdict.fault is Fault.STALL:
            await self.sleep(self.dice.profile.stall_s)
        return response

    def _answer_of(self, request: Request, verdict: Verdict, answer: Callable[[], bytes | None]) -> Response:
        fault, rng = verdict.fault, verdict.detail
        if fault is Fault.RESET:
            return DroppedResponse()
        if fault in {Fault.STALL, Fault.SERVER_ERROR}:
            return server_error(rng)
        if fault is Fault.THROTTLE:
            return throttled(rng, self.dice.profile.retry_after_s, self.feed.now())
        response = self._true_answer(request, (lambda: None) if fault is Fault.MISSING_EVENT else answer)
        return spoilt(rng, bytes(response.body)) if fault is Fault.BAD_JSON else response

    def _true_answer(self, request: Request, answer: Callable[[], bytes | None]) -> Response:
        try:
            body = answer()
        except BadQuery as unreadable:
            return self._refusal(request, 400, str(unreadable))
        if body is None:
            return self._refusal(request, 404, "not found")
        return Response(body, media_type=JSON_TYPE)

    def _refusal(self, request: Request, status: int, reason: str) -> Response:
        stamp = nano_stamp(int(self.feed.now().timestamp() * 1e6) * 1000)
        return refusal(status, reason, stamp, request.url.path.removeprefix(BASE_PATH))


def simulator_app(
    feed: RacingFeed,
    faults: FaultProfile = PROFILES["none"],
    seed: int = 1,
    request_log: RequestLog | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Starlette:
    """Return the feed as an ASGI application; compresses for callers who accept it."""
    server = FeedServer(feed, FaultDice(faults, seed), request_log, sleep)
    return Starlette(
        routes=[
            Route(f"{BASE_PATH}/meetings", server.meetings),
            Route(f"{BASE_PATH}/meetings/{{id}}", server.meeting),
            Route(f"{BASE_PATH}/events/{{id}}", server.event),
            Route(f"{BASE_PATH}/list", server.races_list),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=_SMALLEST_TO_COMPRESS, compresslevel=1)],
    )


def _number(request: Request, name: str, default: int) -> int:
    """Return a whole number of the query; raise BadQuery for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise BadQuery(f"{name} must be a whole number, not {text!r}") from error
