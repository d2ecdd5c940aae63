"""RaceDay's own books: who polls what, what failed, what ran, and how far the day's import has come."""

from __future__ import annotations

from raceday.store.tables.shapes import PUBLIC, Index, Table, boolean, decimal, instant, integer, on_appwrite, text

POLL_CLAIMS = Table(
    "poll-claims",
    (
        text("raceId", 50, required=True),
        text("owner", 100, about="the execution that holds the claim"),
        integer("token", default=0, about="grows with every claim; an older one may not write"),
        instant("claimedAt"),
        instant("expiresAt"),
        instant("lastPollAt", about="last poll that succeeded"),
        instant("notBefore", about="no poll before this time, after a failure"),
        # On Appwrite, which joins nothing, one row holds all that a poll begins with; empty on other stores.
        *map(
            on_appwrite,
            (
                text("meetingId", 50, about="Appwrite: of the race"),
                instant("startTime", about="Appwrite: of the race"),
                text("status", 50, about="Appwrite: of the race"),
                boolean("toPoll", about="Appwrite: the race is not over, or its result is still to come"),
                boolean("resultPending", about="Appwrite: the race is Final and its result is still to come"),
                text(
                    "state",
                    500_000,
                    about="Appwrite: JSON of the last known state; empty when others wrote parts of it",
                ),
                text(
                    "pendingRows",
                    200_000,
                    about="Appwrite: JSON of rows about polls without news, still to be written",
                ),
            ),
        ),
    ),
    (Index("idx_to_poll", ("toPoll", "startTime")),),
    about="Who polls a race right now: one row for each race, so that nobody else does.",
)

POLL_LOGS = Table(
    "poll_logs",
    (
        text("raceId", 50),
        instant("occurredAt", required=True),
        text("function", 50, about="which function asked"),
        text("executionId", 100),
        text("error", 100, about="kind of failure; `DegradedPoll` for one that was kept"),
        text("message", 2000),
        integer("latencyMs"),
        text("payload", 2000, about="the beginning of an answer that could not be understood"),
    ),
    (Index("idx_race_occurred", ("raceId", "occurredAt")), Index("idx_occurred", ("occurredAt",))),
    about="Polls that failed, or were kept although their quality is below the threshold, and why.",
)

FUNCTION_RUNS = Table(
    "function-runs",
    (
        text("executionId", 100, required=True),
        text("function", 50, required=True),
        text("trigger", 20, about="`http`, `schedule` or `event`"),
        instant("startedAt", required=True),
        integer("durationMs"),
        integer("statusCode"),
        integer("processed"),
        integer("failed"),
        integer("skipped"),
        integer("remaining", about="left for the next run"),
        integer("feedCalls", about="requests to the feed"),
        integer("storeCalls", about="requests to the store"),
        decimal("peakRssMb", about="most memory of the process, in MB"),
        text("message", 2000),
    ),
    (Index("idx_function_started", ("function", "startedAt")), Index("idx_started", ("startedAt",))),
    about="Every run of a function and what it did.",
)

DAILY_STAGES = Table(
    "daily-stages",
    (
        text("racingDate", 10, required=True, about="NZ date, `2025-07-17`"),
        text("stage", 50, required=True, about="`daily-meetings`, `daily-races` or `daily-entrants`"),
        boolean("complete", default=False),
        instant("startedAt", required=True),
        instant("finishedAt"),
        integer("done", default=0, about="by all runs together"),
        integer("processed", default=0, about="by the last run"),
        integer("failed", default=0, about="in the last run"),
        integer("remaining", default=0, about="after the last run"),
    ),
    about="How far the day's import has come: one row for each racing date and stage.",
)

SWEEPS = Table(
    "sweeps",
    (
        text("name", 50, required=True, about="the function that sweeps, or `keep-history`"),
        instant(
            "sweptTo",
            required=True,
            about="what was written before was looked at; of `keep-history`: races that started before have no history",
        ),
    ),
    about="How far each function has looked for what lost events left out, and how far history was dropped.",
)

RACE_CLOSINGS = Table(
    "race-closings",
    (
        text("raceId", 50, required=True),
        text("raceDateNz", 15),
        text("status", 50, about="`Final`, `Abandoned`, or the last known of a race that never ended"),
        instant("closedAt", about="when the snapshot was taken"),
        integer("polls"),
        integer("failedPolls"),
        integer("degradedPolls", about="below the quality threshold, and kept"),
        decimal("coveragePct", about="time buckets present against expected; empty when none was expected"),
        integer("qualityP5", about="5 % of its polls were no better"),
        integer("qualityP50", about="median of its polls"),
        decimal("latenessP95S", about="seconds; 95 % of its polls were no later"),
        integer("winPoolTotal", about="cents; empty when no response had pools"),
        integer("placePoolTotal", about="cents"),
        integer("totalRacePool", about="cents: the race's own pools"),
        text(
            "runners",
            20000,
            about="JSON list by runner number: `id`, `number`, `name`, `scratched`, `opening_fixed_win`, `fixed_win`, "
            "`tote_win`, `tote_place` (dollars for $1), `win_cents`, `place_cents`, `hold_pct`, `implied_pct`, "
            "`position`",
        ),
        text("resultHash", 32, about="fingerprint of the result it was made with; an amended result makes it anew"),
    ),
    (Index("idx_race_date", ("raceDateNz",)),),
    PUBLIC,
    about="How a race stood when it closed and how well it was followed; kept for good when its history is dropped.",
)
