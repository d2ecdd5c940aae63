"""The money flow of a race as it is answered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raceday.server.api.models.shape import Cents, Instant, Percent, Price, Shape


class MoneyFlowRow(Shape):
    """The money on one runner in one time bucket; its last poll counts."""

    id: str
    race_id: str
    entrant_id: str
    type: str
    time_interval: int = Field(description="The bucket: minutes to the advertised start.")
    time_to_start: int | None = Field(description="Whole minutes at the last poll.")
    interval_type: Literal["5m", "2m", "30s", "live"] | None
    hold_percentage: Percent | None
    incremental_win_amount: Cents | None = Field(description="Cents since the bucket before.")
    incremental_place_amount: Cents | None = Field(description="Cents since the bucket before.")
    win_pool_amount: Cents | None
    place_pool_amount: Cents | None
    winPoolAmount: Cents | None = Field(description="As `win_pool_amount`.")  # noqa: N815 (the client's name)
    placePoolAmount: Cents | None = Field(description="As `place_pool_amount`.")  # noqa: N815 (the client's name)
    win_pool_percentage: Percent | None
    place_pool_percentage: Percent | None
    fixed_win_odds: Price | None
    fixed_place_odds: Price | None
    pool_win_odds: Price | None
    pool_place_odds: Price | None
    event_timestamp: Instant
    polling_timestamp: Instant | None
    created_at: Instant
    updated_at: Instant


class MissingIntervals(Shape):
    """Buckets of the last five minutes that a runner has no row of."""

    entrant_id: str
    missing_intervals: list[int]


class CoverageSummary(Shape):
    """Which buckets the page has."""

    total_documents: int
    entrants_covered: int
    intervals_covered: list[int]
    critical_period_gaps: list[MissingIntervals]
    coverage_report: str


class RunnerCoverage(Shape):
    """Which buckets the page has of one runner."""

    entrant_id: str
    document_count: int
    intervals_covered: list[int]
    critical_period_coverage: list[int]
    missing_critical_intervals: list[int]


class IntervalCoverage(Shape):
    """Which buckets the page has, over all and by runner."""

    summary: CoverageSummary
    entrants: list[RunnerCoverage]


class MoneyFlowTimeline(Shape):
    """A page of money-flow rows, in the order of their creation."""

    success: Literal[True]
    documents: list[MoneyFlowRow]
    total: int = Field(description="Rows on this page.")
    race_id: str
    entrant_ids: list[str]
    pool_type: Literal["win", "place", "odds"]
    bucketed_data: bool
    interval_coverage: IntervalCoverage
    next_cursor: str | None = Field(description="`cursorAfter` of the next page; null on the last one.")
    next_created_at: Instant | None = Field(
        description="When the page's last row was made, without any `created_after`: what to send as `createdAfter` "
        "for what is new."
    )
    limit: int
    created_after: Instant | None
    message: str | None
    query_optimizations: list[str]
