"""What the operations of the store take and give beside the domain's own values.

Apart from the port, so that a function pays for the claim it makes and not for the description of all stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raceday.domain.meeting import Meeting
    from raceday.domain.status import RaceStatus


@dataclass(frozen=True, slots=True)
class PollClaim:
    """The right to poll one race until `expires_at`.

    `token` grows with every claim of the race: a write under an older token is refused by the store.
    """

    race_id: str
    owner: str
    token: int
    claimed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PollWindow:
    """Which races the pollers look at: advertised starts from `starts_from` up to `starts_before`.

    Races that are Final without a final result are looked at as well when they started at or after `results_from`.
    """

    starts_from: datetime
    starts_before: datetime
    results_from: datetime


@dataclass(frozen=True, slots=True)
class PollFailure:
    """A poll that failed, for `poll_logs`."""

    race_id: str
    at: datetime
    function: str
    execution_id: str
    error: str
    message: str
    latency_ms: int | None = None
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One function run, for the run ledger."""

    execution_id: str
    function: str
    trigger: str
    started_at: datetime
    duration_ms: int
    status_code: int
    processed: int
    failed: int
    skipped: int
    remaining: int
    feed_calls: int
    store_calls: int
    peak_rss_mb: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class RaceSummary:
    """A race as a list needs it."""

    race_id: str
    meeting_id: str
    race_number: int
    name: str
    advertised_start: datetime
    status: RaceStatus
    entrants_imported: bool
    entrants_attempts: int


@dataclass(frozen=True, slots=True)
class MeetingSummary:
    """A stored meeting, and how far the import of its races has come."""

    meeting: Meeting
    races_imported: bool
    races_attempts: int


@dataclass(frozen=True, slots=True)
class DayCounts:
    """What is stored of one database, for progress displays and summaries.

    `race_pools` counts the races whose pools a poll has filled, `failed_polls` the failures in `poll_logs`.
    """

    meetings: int = 0
    races: int = 0
    entrants: int = 0
    races_by_status: Mapping[str, int] = field(default_factory=dict)
    polls: int = 0
    failed_polls: int = 0
    odds_ticks: int = 0
    money_flow_buckets: int = 0
    race_pools: int = 0
    results: int = 0
    notifications: int = 0
    silks: int = 0
