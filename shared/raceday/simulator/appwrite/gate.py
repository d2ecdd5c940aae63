"""What every call passes: reading it, the faults, the key and its scopes, the answer, the log."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING

from starlette.responses import Response

from raceday.simulator.appwrite.call import Call, answer, body_of, query_of, refusal
from raceday.simulator.appwrite.call_log import PlatformCall
from raceday.simulator.appwrite.errors import PlatformError, refused
from raceday.simulator.appwrite.faults import DROPPED
from raceday.simulator.appwrite.keys import missing_scopes
from raceday.simulator.faulty_answers import DroppedResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from raceday.simulator.appwrite.call import Handler, Surroundings
    from raceday.simulator.appwrite.call_log import CallObserver
    from raceday.simulator.appwrite.faults import Fault, FaultPlan
    from raceday.simulator.appwrite.keys import ApiKey

LARGEST_BODY = 12 * 1024 * 1024
"""A longer body never reaches the API: the connection's own refusal, without a content type."""
GUESTS_MAY = frozenset({"rows.read", "files.read", "health.read"})
"""What somebody without a key may try; permissions decide the rest."""
_BARE = {500: b"Internal Server Error", 503: b"Service Unavailable", 504: b"Gateway Timeout", 429: b"Too Many Requests"}


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A path with the names of its ids, what answers it, and the scopes of which a key needs one."""

    path: str
    handler: Handler
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """Stands before every route."""

    around: Surroundings
    faults: FaultPlan
    log: CallObserver | None

    async def pass_through(self, route: ApiRoute, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        raw = await _received(receive)
        fault = self.faults.verdict(method, path, self.around.clock.now())
        before_s, after_s = self.faults.pauses_s()
        if before_s:
            await self.around.sleep(before_s)
        response = await self._response(fault, route, scope, headers, raw)
        if after_s:
            await self.around.sleep(after_s)
        if self.log is not None:
            key = self.around.project.keys.find(headers.get("x-appwrite-key", ""))
            status = 0 if isinstance(response, DroppedResponse) else response.status_code
            now, key_id = self.around.clock.now(), key.key_id if key else ""
            self.log.add(PlatformCall(now, method, path, key_id, status, route.path, route.scopes))
        await response(scope, receive, send)

    async def _response(
        self, fault: Fault | None, route: ApiRoute, scope: Scope, headers: Mapping[str, str], raw: bytes
    ) -> Response:
        if fault is not None and not fault.after_effect:
            return _faulty(fault)
        if len(raw) > LARGEST_BODY:
            return Response(b"", 413)
        try:
            response = await self._answered(route, scope, headers, raw)
        except PlatformError as error:
            response = refusal(error)
        return response if fault is None else _faulty(fault)

    async def _answered(self, route: ApiRoute, scope: Scope, headers: Mapping[str, str], raw: bytes) -> Response:
        clock = self.around.clock
        query = query_of(scope["query_string"]) if scope["query_string"] else {}
        self._check_project(headers, query, route.scopes)
        key = self._key(headers, route.scopes)
        body, files = body_of(headers.get("content-type", ""), raw)
        call = Call(
            around=self.around,
            at=clock.now() if scope["method"] == "GET" else clock.for_a_write(),
            path=scope["path_params"],
            query=query,
            headers=headers,
            key=key,
            body=body,
            files=files,
        )
        answered = route.handler(call)
        return await answered if isawaitable(answered) else answered

    def _check_project(self, headers: Mapping[str, str], query: Mapping[str, object], scopes: tuple[str, ...]) -> None:
        """Raise project_not_found; a plain link names the project in its query, what anybody may ask needs none.

        The console is a project of every server; the command line asks for the version in its name.
        """
        named = headers.get("x-appwrite-project") or query.get("project")
        if named != self.around.project.project_id and (scopes or named not in {None, "", "console"}):
            raise refused("project_not_found")

    def _key(self, headers: Mapping[str, str], scopes: tuple[str, ...]) -> ApiKey | None:
        """Return the caller's key, None for somebody who has none; raises the platform's refusals."""
        project = self.around.project
        secret = headers.get("x-appwrite-key", "")
        if not secret:
            if scopes and GUESTS_MAY.isdisjoint(scopes):
                raise missing_scopes("a caller without a key", "guests", scopes)
            return None
        key = project.keys.find(secret)
        if key is None:
            raise refused("user_unauthorized")
        key.check(scopes, project.project_id, self.around.clock.now())
        return key


def _faulty(fault: Fault) -> Response:
    """Return the answer that a fault puts in the true one's place."""
    if fault.status == DROPPED:
        return DroppedResponse()
    if not fault.has_content_type:
        return Response(_BARE.get(fault.status, b""), fault.status)
    if fault.status == 429:
        response = refusal(refused("general_rate_limit_exceeded"))
        response.headers.update({"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0"})
        return response
    error = refused("general_unknown")
    return answer({**error.body(), "code": fault.status}, fault.status)


async def _received(receive: Receive) -> bytes:
    """Return a request's whole body."""
    message = await receive()
    if not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)
