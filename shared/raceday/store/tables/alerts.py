"""What people set and are told: alert configurations, channels, notifications, and alerts still to be evaluated."""

from __future__ import annotations

from raceday.store.tables.shapes import Index, Table, boolean, decimal, instant, integer, text

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
        text(
            "alertType", 50, about="`odds_shortening`, `odds_drifting`, `odds_change`, `money_share_rise`, `scratching`"
        ),
        decimal("threshold", about="percent of the price, or percentage points of the money"),
        integer("timeWindowSeconds", about="how far back the value is taken that the present one is held against"),
        integer("cooldownSeconds", about="no second notification about a runner within so many seconds"),
    ),
    (
        Index("idx_user_id", ("userId",)),
        Index("idx_entrant_user", ("entrantId", "userId")),
        Index("idx_race_entrant_user", ("raceId", "entrantId", "userId")),
    ),
    row_security=True,
    about="What a user wants to be told: the dashboard's percentage ranges, or one threshold on a runner or race.",
)

USER_ALERT_CHANNELS = Table(
    "user-alert-channels",
    (
        text("userId", 50, required=True),
        text("webhookUrl", 500, about="https"),
        text("webhookSecret", 200, about="signs what is sent to `webhookUrl`; `whsec_` and base64, or any text"),
        boolean("pushEnabled", default=False),
        boolean("enabled", default=True),
    ),
    (Index("idx_user_id", ("userId",)),),
    # API keys alone make these rows: whoever could make one for somebody else would be told what that one is told.
    row_security=True,
    about="Where else a user wants to be told, beside the dashboard: one row for each user.",
)

NOTIFICATIONS = Table(
    "notifications",
    (
        text("userId", 50, required=True),
        text("title", 255, required=True),
        text("message", 1000, required=True),
        text("type", 50, required=True, about="what happened: an `alertType`, also for a percentage range"),
        boolean("read", default=False),
        text("raceId", 50),
        text("entrantId", 50),
        text("configId", 50, about="the configuration that was crossed"),
        integer("timeInterval", about="the bucket it was crossed in; empty for a scratching"),
        instant("crossedAt", about="when the feed told the value that crossed"),
        decimal("valueBefore", about="price or percent at the start of the window"),
        decimal("valueAfter", about="price or percent at the crossing"),
        decimal("change", about="percent of the price, or percentage points of the money"),
        text("color", 20),
        text("deliveryState", 20, about="`pending`, `delivered`, `failed` or `none`; empty when nothing goes out"),
        integer("deliveryAttempts"),
        instant("nextDeliveryAt"),
        text("deliveryMessage", 500, about="why the last attempt failed, or nothing went out"),
        text("webhookState", 20, about="`delivered` or `failed`; empty while it is to be tried, or not wanted"),
        text("pushState", 20, about="as `webhookState`"),
    ),
    (
        Index("idx_user_crossed", ("userId", "crossedAt")),
        Index("idx_race_runner", ("raceId", "entrantId")),
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
        text("entrantId", 50, about="empty for every runner of the race"),
        instant("occurredAt", required=True, about="when the run stopped"),
        text("fromUserId", 50, about="users come in order; it goes on with this one"),
    ),
    (Index("idx_occurred", ("occurredAt",)),),
    about="Races and runners whose alerts a run could not evaluate to the end; the next sweep goes on with them.",
)
