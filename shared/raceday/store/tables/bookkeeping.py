"""RaceDay's own books: who polls what, what failed, what ran, and how far the day's import has come."""

from __future__ import annotations

from raceday.store.tables.shapes import Index, Table, boolean, decimal, instant, integer, text

POLL_CLAIMS = Table(
    "poll-claims",
    (
        text("raceId", 50, required=True),
        text("owner", 100),
        integer("token", default=0),
        instant("claimedAt"),
        instant("expiresAt"),
        instant("lastPollAt"),
        instant("notBefore"),
    ),
)

POLL_LOGS = Table(
    "poll_logs",
    (
        text("raceId", 50),
        instant("occurredAt", required=True),
        text("function", 50),
        text("executionId", 100),
        text("error", 100),
        text("message", 2000),
        integer("latencyMs"),
        text("payload", 2000),
    ),
    (Index("idx_race_occurred", ("raceId", "occurredAt")),),
)

FUNCTION_RUNS = Table(
    "function-runs",
    (
        text("executionId", 100, required=True),
        text("function", 50, required=True),
        text("trigger", 20),
        instant("startedAt", required=True),
        integer("durationMs"),
        integer("statusCode"),
        integer("processed"),
        integer("failed"),
        integer("skipped"),
        integer("remaining"),
        integer("feedCalls"),
        integer("storeCalls"),
        decimal("peakRssMb"),
        text("message", 2000),
    ),
    (Index("idx_function_started", ("function", "startedAt")),),
)

DAILY_STAGES = Table(
    "daily-stages",
    (
        text("racingDate", 10, required=True),
        text("stage", 50, required=True),
        boolean("complete", default=False),
        instant("startedAt", required=True),
        instant("finishedAt"),
        integer("done", default=0),
        integer("failed", default=0),
        integer("remaining", default=0),
    ),
)
