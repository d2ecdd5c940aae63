"""What people set and are told: alert configurations, channels, notifications, and alerts still to be evaluated."""

from __future__ import annotations

from raceday.store.tables.shapes import Index, Table, boolean, decimal, instant, integer, text

_SIGNED_IN = ('create("users")',)

USER_ALERT_CONFIGS = Table(
    "user-alert-configs",
    (
        # The shape of the dashboard: six percentage ranges per user.
        text("userId", 50, required=True),
        text("indicatorType", 50, about="`percentage_range` for one of the six ranges"),
        decimal("percentageRangeMin", about="percent, inclusive"),
        decimal("percentageRangeMax", about="percent, exclusive; empty for no upper end"),
        text("color", 20, about="`#RRGGBB`"),
        boolean("isDefault", default=True),
        boolean("enabled", required=True),
        integer("displayOrder", about="1 to 6"),
        boolean("audibleAlertsEnabled", default=True),
        instant("lastUpdated"),
        instant("createdAt"),
        # The shape of alert-evaluator: one threshold on a runner, a race or everything.
        text("entrantId", 50),
        text("raceId", 50),
        text("alertType", 50, about="`odds_shortening`, `odds_drifting`, `money_share_rise` or `scratching`"),
        decimal("threshold", about="percent of the price, or percentage points of the money"),
        integer("timeWindowSeconds", about="how far back the value is taken that the present one is held against"),
        integer("cooldownSeconds", about="no second notification about a runner within so many seconds"),
    ),
    (
        Index("idx_user_id", ("userId",)),
        Index("idx_entrant_enabled", ("entrantId", "enabled")),
        Index("idx_race_enabled", ("raceId", "enabled")),
    ),
    _SIGNED_IN,
    row_security=True,
    about="What a user wants to be told: the dashboard's percentage ranges, or one threshold on a runner or race.",
)

USER_ALERT_CHANNELS = Table(
    "user-alert-channels",
    (
        text("userId", 50, required=True),
        text("webhookUrl", 500),
        text("webhookSecret", 200, about="signs what is sent to `webhookUrl`"),
        boolean("pushEnabled", default=False),
        boolean("enabled", default=True),
    ),
    (Index("idx_user_id", ("userId",)),),
    _SIGNED_IN,
    row_security=True,
    about="Where else a user wants to be told, beside the dashboard.",
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
        text("configId", 50, about="the configuration that was crossed"),
        integer("timeInterval", about="the bucket it was crossed in"),
        instant("crossedAt", about="when the feed told the value that crossed"),
        decimal("valueBefore", about="price or percent at the start of the window"),
        decimal("valueAfter", about="price or percent at the crossing"),
        decimal("change", about="percent of the price, or percentage points of the money"),
        text("color", 20),
        text("deliveryState", 20, about="`pending`, `delivered`, `failed` or `none`; empty when nothing goes out"),
        integer("deliveryAttempts"),
        instant("nextDeliveryAt"),
        text("deliveryMessage", 500, about="why the last attempt failed"),
    ),
    (
        Index("idx_user_id", ("userId",)),
        Index("idx_crossed_at", ("crossedAt",)),
        Index("idx_delivery", ("deliveryState", "nextDeliveryAt")),
    ),
    row_security=True,
    about="What a user was told.",
)

ALERT_BACKLOG = Table(
    "alert-backlog",
    (
        text("raceId", 50, required=True),
        text("entrantId", 50, required=True),
        instant("occurredAt", required=True),
        text("afterConfigId", 50, about="the last configuration that was evaluated; it goes on behind it"),
    ),
    about="Runners whose alerts a run could not evaluate to the end; the next sweep goes on with them.",
)
