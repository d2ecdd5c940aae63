"""The pools of a race as they are answered."""

from __future__ import annotations

from pydantic import Field

from raceday.server.api.models.shape import Cents, Instant, Shape


class MultiLegPool(Shape):
    """A pool over several races, of which this is one."""

    product: str
    total_cents: int
    status: str
    jackpot_cents: int
    guarantee_cents: int


class RacePoolsAnswer(Shape):
    """What is in the pools of a race; zeros until the feed has told."""

    race_pool_id: str = Field(description="As `race_id`.")
    race_id: str
    win_pool_total: Cents
    place_pool_total: Cents
    quinella_pool_total: Cents
    trifecta_pool_total: Cents
    exacta_pool_total: Cents
    first4_pool_total: Cents
    total_race_pool: Cents = Field(description="Cents: the race's own pools, never multi-leg ones.")
    currency: str
    multi_leg_pool_total: Cents
    multi_leg_pools: list[MultiLegPool] | None
    has_data: bool = Field(description="False until a response had pools.")
    is_live: bool = Field(description="The race is not over.")
    extracted_pools: int = Field(description="How many of the six have money in them.")
    data_quality_score: int | None = Field(description="0 to 100, of the race's last poll.")
    last_updated: Instant | None
    created_at: Instant
    updated_at: Instant
