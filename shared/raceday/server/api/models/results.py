"""How a race ended, as it is answered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raceday.server.api.models.shape import Instant, Shape


class PlacingAnswer(Shape):
    """A finisher; a dead heat repeats the position."""

    position: int
    name: str | None
    barrier: int | None
    runner_number: int | None
    margin_length: float | None
    positional_margin: str | None
    entrant_id: str | None
    winning_time: float | None


class DividendPosition(Shape):
    """Which place a runner of a dividend had."""

    runner_number: int | None
    position: int | None


class DividendAnswer(Shape):
    """A tote dividend, in dollars."""

    id: str | None
    tote: str | None
    product_name: str | None
    status: str | None
    dividend: float | None
    pool_size: float | None
    jackpot_size: float | None
    positions: list[DividendPosition]
    description: str | None


class FixedOddsAnswer(Shape):
    """The last fixed prices of a runner."""

    fixed_win: float | None
    fixed_place: float | None
    runner_name: str | None
    entrant_id: str | None


class RaceResultAnswer(Shape):
    """Placings and dividends, as far as they are known."""

    race_id: str
    results_available: bool = Field(description="There are placings.")
    result_status: Literal["interim", "protest", "final"] | None
    result_time: Instant | None
    results_data: list[PlacingAnswer] | None
    dividends_data: list[DividendAnswer] | None
    fixed_odds_data: dict[str, FixedOddsAnswer] | None = Field(description="By runner number.")
    photo_finish: bool
    stewards_inquiry: bool
    protest_lodged: bool
    protest_reason: str | None
    substitutes: list[str] | None = Field(description="Ids of runners.")
    created_at: Instant
    updated_at: Instant
