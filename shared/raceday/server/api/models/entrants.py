"""Runners as they are answered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raceday.server.api.models.shape import Cents, Instant, Percent, Price, Shape


class OddsPoint(Shape):
    """A price from one instant on."""

    odds: Price
    type: Literal["fixed_win", "fixed_place", "pool_win", "pool_place"]
    timestamp: Instant


class MoneyPoint(Shape):
    """The money on a runner in one time bucket, as its last poll found it."""

    hold_percentage: Percent | None
    win_pool_amount: Cents | None
    place_pool_amount: Cents | None
    time_interval: int | None = Field(description="The bucket: minutes to the advertised start.")
    timestamp: Instant


class EntrantAnswer(Shape):
    """A runner with its present prices and money, and the latest of both, oldest first."""

    entrant_id: str
    race_id: str
    name: str = Field(examples=["Thunder Bolt"])
    runner_number: int
    barrier: int | None
    barrier_position: str | None
    win_odds: Price | None = Field(
        description="The fixed price; the tote's where there is none. A scratched runner keeps its last one."
    )
    place_odds: Price | None = Field(description="The fixed price; the tote's where there is none.")
    fixed_win_odds: Price | None
    fixed_place_odds: Price | None
    pool_win_odds: Price | None
    pool_place_odds: Price | None
    hold_percentage: Percent | None = Field(description="Share of all money bet on the race.")
    bet_percentage: Percent | None = Field(description="Share of the number of bets on the race.")
    implied_percentage: Percent | None = Field(description="Share of the win pool that the tote odds imply.")
    win_pool_amount: Cents | None
    place_pool_amount: Cents | None
    is_scratched: bool
    is_late_scratched: bool
    scratch_time: int | None = Field(description="Unix seconds.")
    favourite: bool
    mover: bool
    jockey: str | None
    trainer_name: str | None
    trainer_location: str | None
    weight_total: str | None
    age: int | None
    sex: str | None
    colour: str | None
    gear: str | None
    last_twenty_starts: str | None
    silk_colours: str | None
    silk_url_64: str | None
    silk_url_128: str | None
    silk_url_64x64: str | None = Field(description="As `silk_url_64`.")
    silk_url_128x128: str | None = Field(description="As `silk_url_128`.")
    last_updated: Instant | None
    created_at: Instant
    updated_at: Instant
    odds_history: list[OddsPoint]
    money_flow_history: list[MoneyPoint]
