"""How the server is, as it is answered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raceday.server.api.models.shape import Instant, Shape


class PoolHealth(Shape):
    """The connection pool at this moment."""

    active: int
    idle: int
    waiting: int
    max: int


class DatabaseHealth(Shape):
    """Whether the database answers within a second."""

    status: Literal["ok", "down"]
    latency_ms: float | None
    pool: PoolHealth
    error: str | None


class SchedulerHealth(Shape):
    """Whether the scheduler's loop turns."""

    status: Literal["ok", "starting", "stopped"]
    seen_at: Instant | None
    races_followed: int
    polls: int
    failed_polls: int


class FeedHealth(Shape):
    """Whether the feed answers while races are due; a quiet night is no fault."""

    status: Literal["ok", "quiet", "starting", "stale", "unknown"]
    races_due: int | None
    last_success_at: Instant | None
    last_error: str | None


class HealthAnswer(Shape):
    """How the server is: 200 when it is healthy, 503 when it is not."""

    status: Literal["healthy", "unhealthy"]
    timestamp: Instant
    uptime_s: float
    database: DatabaseHealth
    scheduler: SchedulerHealth
    feed: FeedHealth
    last_poll: Instant | None
    workers: str = Field(description="Where responses are parsed.", examples=["in-process"])
