"""What no one can get back later: odds, money flow and pools over time, and every poll that was made."""

from __future__ import annotations

from raceday.store.tables.shapes import PUBLIC, Index, Table, boolean, decimal, instant, integer, text

ODDS_HISTORY = Table(
    "odds-history",
    (
        decimal("odds", required=True, about="dollars for $1"),
        instant("eventTimestamp", required=True, about="when the feed gave the price, or says that it moved"),
        text("type", 20, required=True, about="`fixed_win`, `fixed_place`, `pool_win` or `pool_place`"),
        text("raceId", 50),
        text("entrantId", 50),
        boolean("isOpening", default=False, about="the feed's first fixed win price"),
    ),
    (Index("idx_race_entrant_time", ("raceId", "entrantId", "eventTimestamp")),),
    PUBLIC,
    about="Every price of every runner, when it was first seen or moved by a cent or more. A runner's first response "
    "also brings the feed's own record of its fixed win price; the present price follows in any case.",
)

MONEY_FLOW_HISTORY = Table(
    "money-flow-history",
    (
        text("raceId", 50),
        text("entrantId", 50),
        text("type", 30, required=True, about="always `bucketed_aggregation`"),
        instant("eventTimestamp", required=True, about="when the feed made the response"),
        instant("pollingTimestamp", about="when it was asked for"),
        decimal("holdPercentage", about="share of all money bet on the race"),
        decimal("betPercentage", about="share of the number of bets on the race"),
        integer("timeToStart", about="whole minutes; negative after the start"),
        integer("timeInterval", about="the bucket: 60 (everything before 55), 55 … 5, 4, 3, 2, 1, 0, then −1, −2 …"),
        text(
            "intervalType",
            10,
            about="`5m` over 30 minutes out at the last poll, `2m` over 5, `30s` to the start, then `live`",
        ),
        text("poolType", 10, about="always `combined`: win and place"),
        integer("winPoolAmount", about="cents: win pool × share"),
        integer("placePoolAmount", about="cents: place pool × share"),
        integer("totalPoolAmount", about="cents: the race's win and place pools"),
        integer("incrementalAmount", about="cents, win and place, since `previousInterval`; may be negative"),
        integer("incrementalWinAmount", about="cents since `previousInterval`"),
        integer("incrementalPlaceAmount", about="cents since `previousInterval`"),
        decimal("winPoolPercentage", about="the share that the amounts are made with"),
        decimal("placePoolPercentage", about="the share that the amounts are made with"),
        decimal("fixedWinOdds", about="dollars for $1; empty without a price"),
        decimal("fixedPlaceOdds", about="dollars for $1; empty without a price"),
        decimal("poolWinOdds", about="tote: dollars for $1; empty without a price"),
        decimal("poolPlaceOdds", about="tote: dollars for $1; empty without a price"),
        boolean("isConsolidated", default=False, about="always false, kept for older clients"),
        text("bucketDocumentId", 100, about="as `$id`"),
        text("rawPollingData", 2000, about="always empty, kept for older clients"),
        integer("dataQualityScore", about="0 to 100; its parts are in `race-polls`"),
        integer("pollingLatencyMs"),
        boolean("mathematicallyConsistent"),
        boolean("isStale"),
        integer("previousInterval", about="the bucket that the increments count from; empty for the first"),
        decimal("impliedPercentage", about="share of the win pool that the tote odds imply"),
        boolean("isBaseline", about="a first bucket whose increment is its whole amount"),
        text("estimator", 20, about="where the share is from: `hold` or `tote-implied`"),
        boolean("afterScratching", about="a scratching moved every share since the last response"),
    ),
    (Index("idx_race_entrant_time", ("raceId", "entrantId", "timeInterval")),),
    PUBLIC,
    about="Where the money went: one row for each runner and time bucket; the last poll of a bucket wins.",
)

RACE_POOLS = Table(
    "race-pools",
    (
        text("raceId", 50, required=True),
        integer("winPoolTotal", default=0, about="cents"),
        integer("placePoolTotal", default=0, about="cents"),
        integer("quinellaPoolTotal", default=0, about="cents"),
        integer("trifectaPoolTotal", default=0, about="cents"),
        integer("exactaPoolTotal", default=0, about="cents"),
        integer("first4PoolTotal", default=0, about="cents"),
        integer("totalRacePool", default=0, about="cents: the race's own pools, never multi-leg ones"),
        text("currency", 10, default="$"),
        instant("lastUpdated"),
        integer("multiLegPoolTotal", default=0, about="cents"),
        text(
            "multiLegPools",
            4000,
            about="JSON list: `product`, `total_cents`, `status`, `jackpot_cents`, `guarantee_cents`",
        ),
        text("unknownPools", 4000, about="JSON list as `multiLegPools`: products that nobody knows yet"),
        boolean("hasData", default=False, about="false until a response had pools"),
    ),
    (Index("idx_race_id", ("raceId",), "unique"),),
    PUBLIC,
    about="What is in the pools of a race. There is one row for each race from its import on.",
)

RACE_POLLS = Table(
    "race-polls",
    (
        text("raceId", 50, required=True),
        instant("polledAt", required=True, about="when the feed was asked"),
        instant("dueAt", about="when the cadence wanted it; empty for an import"),
        integer("intervalS", about="seconds between polls at that time"),
        decimal("latenessS", about="seconds from due to polled"),
        integer("latencyMs", about="milliseconds that the feed took"),
        text("status", 50),
        boolean("changed", about="the response said something new"),
        integer("dataQualityScore", about="0 to 100, the sum of the points"),
        decimal("completenessPoints"),
        decimal("holdSumPoints"),
        decimal("holdAgainstImpliedPoints"),
        decimal("monotonePoolsPoints"),
        decimal("payloadAgePoints"),
        decimal("duplicatesPoints"),
        boolean("mathematicallyConsistent", about="shares and pools agree"),
        boolean("isStale", about="the response was old when it came"),
        instant("payloadAt", about="when the feed made the response"),
        text("polledBy", 100, about="the execution that made it"),
    ),
    (Index("idx_race_polled", ("raceId", "polledAt")), Index("idx_polled_at", ("polledAt",))),
    PUBLIC,
    about="Every poll that succeeded: how punctual, how fast, how good. Those that failed are in `poll_logs`.",
)
