"""Every error in one shape: what went wrong in a word, and what it was and what to do about it. Never a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Scope

from raceday.errors import InvalidRequest, StoreUnavailable
from raceday.server.api.desk import desk_of

if TYPE_CHECKING:
    from raceday.jobs.ports import RunLog

RETRY_AFTER_S = 5
"""A restarted database is back within this."""
_UNEXPECTED = (
    "this is a fault of the server, not of the request: it is in the server's log under the time of this answer"
)


class ErrorAnswer(BaseModel):
    """The body of every answer that is not what was asked for."""

    model_config = ConfigDict(extra="forbid", title="Error")

    error: str = Field(description="What kind of error it is.", examples=["Invalid query parameter"])
    details: str = Field(description="What was wrong, and what to do.", examples=["raceId is required"])


class NotStored(Exception):
    """What was asked for is not stored (404); the message says what, and what to do."""


def error_response(status: int, error: str, details: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as it is sent."""
    return Response(
        orjson.dumps({"error": error, "details": details}),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def unexpected() -> Response:
    """Return the answer of an error that nobody foresaw."""
    return error_response(500, "Internal server error", _UNEXPECTED)


async def invalid_request(request: Request, error: InvalidRequest) -> Response:
    """400: the caller's mistake, by the name of the parameter or field."""
    return _logged(request, 400, "Invalid request", f"{error.field} {error.message}")


async def invalid_body(request: Request, error: RequestValidationError) -> Response:
    """400: a body that is no JSON, or not of the documented shape; every wrong field is named."""
    wrong = [_wrong(fault) for fault in error.errors()]
    return _logged(request, 400, "Invalid request body", "; ".join(wrong[:10]))


def _wrong(fault: Mapping[str, Any]) -> str:
    where = ".".join(map(str, fault["loc"][1:]))
    if fault["type"] == "json_invalid":
        return f"body: is no JSON, from character {where} on"
    if not where and fault["type"] in {"missing", "model_attributes_type"}:
        return "body: send a JSON object, with Content-Type: application/json"
    return f"{where or 'body'}: {fault['msg'].removeprefix('Value error, ')}"


async def not_stored(request: Request, error: NotStored) -> Response:
    """404: there is no such meeting, race, or part of it."""
    return _logged(request, 404, "Not found", str(error))


async def unavailable(request: Request, error: StoreUnavailable) -> Response:
    """503: the database does not answer."""
    desk_of(request).log.error("api", status=503, **asked_of(request.scope), reason=str(error))
    return error_response(
        503,
        "Database unavailable",
        f"the database does not answer at the moment: try again in {RETRY_AFTER_S} seconds",
        {"Retry-After": str(RETRY_AFTER_S)},
    )


async def http_error(request: Request, error: HTTPException) -> Response:
    """What the router refuses: an unknown path (404), a method that a path does not have (405), a body (400)."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        allowed = _allowed(request, headers.get("Allow", ""))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allowed})
        details = f"{request.url.path} takes {allowed}"
        return _logged(request, 405, "Method not allowed", details, {"Allow": allowed})
    if error.status_code == 404:
        return _logged(request, 404, "Not found", f"there is no {request.url.path}: /openapi.json lists what there is")
    if error.status_code == 400:
        return _logged(request, 400, "Invalid request body", "body: is no JSON that can be read")
    return _logged(request, error.status_code, "Invalid request", str(error.detail), headers)


def _allowed(request: Request, methods: str) -> str:
    """Return the methods of a path: the router names those of its first route only."""
    path = getattr(request.scope.get("route"), "path", "")
    documented = request.app.openapi()["paths"].get(path, {})
    given = {method.strip() for method in methods.split(",")} | {method.upper() for method in documented}
    return ", ".join(sorted(given - {""} | {"OPTIONS"} | ({"HEAD"} if "GET" in given else set())))


def refused(
    log: RunLog, scope: Scope, status: int, error: str, details: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error as it is sent, and log it with what was asked."""
    log.info("api", status=status, **asked_of(scope), reason=details)
    return error_response(status, error, details, headers)


def asked_of(scope: Scope) -> dict[str, object]:
    """Return what a request asked, for the log."""
    parameters: bytes = scope.get("query_string", b"")
    return {"method": scope["method"], "endpoint": scope["path"], "parameters": parameters.decode("latin-1")}


def _logged(
    request: Request, status: int, error: str, details: str, headers: Mapping[str, str] | None = None
) -> Response:
    return refused(desk_of(request).log, request.scope, status, error, details, headers)
