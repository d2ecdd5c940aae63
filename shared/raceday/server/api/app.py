"""The API put together: routes, errors, and what every request passes through."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from limits import parse_many
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from raceday import __version__
from raceday.errors import ConfigError, InvalidRequest, StoreUnavailable
from raceday.server.api import errors
from raceday.server.api.desk import Desk
from raceday.server.api.docs_page import add_docs_page
from raceday.server.api.middleware.etag import ETags
from raceday.server.api.middleware.gates import KeyGate, Keyring, RateGate
from raceday.server.api.middleware.observed import Caught, Observed
from raceday.server.api.middleware.plain import BodyLimit, Heads, SafeHeaders, Uncompressed
from raceday.server.api.routes import alerts, entrants, meetings, money_flow, outcomes, races, server

if TYPE_CHECKING:
    from raceday.server.api.settings import ApiSettings
    from raceday.server.state import ServerState

COMPRESS_FROM = 1024
COMPRESSION = 1
"""JSON with many like rows shrinks to a tenth at any level; the first takes a third of the usual one's time."""
IN_A_THREAD_FROM = 1024 * 1024
"""Less than that is compressed in a millisecond or two, and a thread would not make it less."""
_DESCRIPTION = (
    "A day of Australian and New Zealand horse racing: programme, prices, money and results. Names in answers are in "
    "snake_case, but for `previousRace`, `nextRace`, `nextScheduledRace`, `winPoolAmount` and `placePoolAmount`; query "
    "parameters are read in camelCase and in snake_case. Amounts are cents, instants UTC."
)

_ERRORS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    InvalidRequest: errors.invalid_request,
    RequestValidationError: errors.invalid_body,
    errors.NotStored: errors.not_stored,
    StoreUnavailable: errors.unavailable,
    HTTPException: errors.http_error,
}


def create_app(state: ServerState, settings: ApiSettings) -> FastAPI:
    """Return the API of a server. Raises `ConfigError` when its rate limit cannot be read."""
    desk = Desk(state, settings)
    app = FastAPI(
        title="RaceDay",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        exception_handlers=_ERRORS,
    )
    app.state.desk = desk
    for module in (meetings, races, entrants, outcomes, money_flow, alerts, server):
        app.include_router(module.router)
    if settings.development:
        add_docs_page(app)
    _add_passage(app, desk)
    app.openapi = lambda: _document(app, settings)  # type: ignore[method-assign]
    return app


def _add_passage(app: FastAPI, desk: Desk) -> None:
    """Put up what a request passes through. The last that is added is the first to be passed."""
    settings = desk.settings
    keyring = Keyring(settings.api_keys)
    app.add_middleware(ETags)
    app.add_middleware(
        GZipMiddleware, minimum_size=COMPRESS_FROM, compresslevel=COMPRESSION, thread_minimum_size=IN_A_THREAD_FROM
    )
    app.add_middleware(Uncompressed)
    app.add_middleware(BodyLimit, desk=desk)
    app.add_middleware(KeyGate, desk=desk, keyring=keyring)
    if settings.rate_limit:
        try:
            allowed = parse_many(settings.rate_limit)
        except ValueError as cause:
            raise ConfigError(
                f"the rate limit {settings.rate_limit!r} cannot be read: write it as 600/minute or 20/second"
            ) from cause
        app.add_middleware(RateGate, desk=desk, allowed=allowed, keyring=keyring)
    app.add_middleware(Caught, desk=desk)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "If-None-Match"],
            expose_headers=["ETag", "Retry-After"],
            max_age=600,
        )
    app.add_middleware(Heads)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Observed, desk=desk)


def _document(app: FastAPI, settings: ApiSettings) -> dict[str, Any]:
    """Return the OpenAPI document: 400 is what is answered where FastAPI would speak of 422."""
    if app.openapi_schema is None:
        whole = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for operations in whole["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)
        schemas = whole["components"]["schemas"]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        if settings.api_keys:
            whole["components"]["securitySchemes"] = {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            }
            whole["security"] = [{"key": []}, {"bearer": []}]
        app.openapi_schema = whole
    return app.openapi_schema
