"""What people see and set: alert configurations, notifications and jockey silks."""

from __future__ import annotations

from raceday.store.tables.shapes import PUBLIC, Index, Table, boolean, decimal, instant, integer, text

USER_ALERT_CONFIGS = Table(
    "user-alert-configs",
    (
        # The shape of the dashboard: six percentage ranges per user.
        text("userId", 50, required=True),
        text("indicatorType", 50),
        decimal("percentageRangeMin", about="percent"),
        decimal("percentageRangeMax", about="percent"),
        text("color", 20),
        boolean("isDefault", default=True),
        boolean("enabled", required=True),
        integer("displayOrder"),
        boolean("audibleAlertsEnabled", default=True),
        instant("lastUpdated"),
        instant("createdAt"),
        # The shape of alert-evaluator: one threshold on a runner, a race or everything.
        text("entrantId", 50),
        text("raceId", 50),
        text("alertType", 50),
        decimal("threshold"),
        integer("timeWindowSeconds"),
    ),
    (
        Index("idx_user_id", ("userId",)),
        Index("idx_entrant_enabled", ("entrantId", "enabled")),
        Index("idx_race_enabled", ("raceId", "enabled")),
    ),
    ('create("users")',),
    row_security=True,
    about="What a user wants to be told: the dashboard's percentage ranges, or one threshold on a runner or race.",
)

NOTIFICATIONS = Table(
    "notifications",
    (
        text("userId", 50, required=True),
        text("title", 255, required=True),
        text("message", 1000, required=True),
        text("type", 50, required=True),
        boolean("read", default=False),
        text("raceId", 50),
        text("entrantId", 50),
    ),
    (Index("idx_user_id", ("userId",)),),
    row_security=True,
    about="What a user was told.",
)

JOCKEY_SILKS = Table(
    "jockey-silks",
    (
        text("silkId", 50, required=True),
        text("description", 500),
        text("primaryColor", 500),
        text("secondaryColor", 500),
        text("pattern", 50),
        text("iconUrl", 500),
        text("jockeyName", 255),
        text("svgData", 20000, about="the silk as a drawing"),
        instant("lastUpdated"),
    ),
    (
        Index("idx_silk_id", ("silkId",), "unique"),
        Index("idx_jockey_name", ("jockeyName",)),
    ),
    PUBLIC,
    about="The colours that a jockey wears.",
)
