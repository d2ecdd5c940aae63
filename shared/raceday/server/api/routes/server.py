"""How the server is, for a container's check and for Prometheus."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import TypeAdapter

from raceday.server.api.desk import desk_of
from raceday.server.api.health import health_of
from raceday.server.api.models.health import HealthAnswer
from raceday.server.api.parameters import asked
from raceday.server.api.routes.described import NoParameters, described

router = APIRouter(tags=["server"])
_HEALTH = TypeAdapter(HealthAnswer)
_NOT_KEPT = {"Cache-Control": "no-store"}
_UNHEALTHY = {"model": HealthAnswer, "description": "Something of it does not work; the answer says what."}


def _health_documents() -> dict[str, object]:
    whole = described(HealthAnswer)
    return whole | {"responses": {status: whole["responses"][status] for status in (400, 405, 500)} | {503: _UNHEALTHY}}


def _metrics_documents() -> dict[str, object]:
    whole = described(None)
    text = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."}}
    return whole | {"responses": whole["responses"] | text, "response_class": Response}


@router.get("/health", summary="How the server is", **_health_documents())  # type: ignore[arg-type]
async def show_health(request: Request) -> Response:
    """200 when the database answers, the scheduler turns and the feed tells of races that are due; else 503."""
    asked(request, NoParameters)
    desk = desk_of(request)
    well, health = await health_of(desk)
    answer = desk.answer(orjson.dumps(health), _HEALTH, _NOT_KEPT)
    answer.status_code = 200 if well else 503
    return answer


@router.get("/metrics", summary="Measurements for Prometheus", **_metrics_documents())  # type: ignore[arg-type]
async def show_metrics(request: Request) -> Response:
    """All measurements of this server in Prometheus' text format."""
    asked(request, NoParameters)
    registry = desk_of(request).state.metrics.registry
    return Response(generate_latest(registry), headers=_NOT_KEPT | {"Content-Type": CONTENT_TYPE_LATEST})
