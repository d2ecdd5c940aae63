"""What one poll of one race is: what the feed said, what was known before, and what is to be written.

`RaceEvent` comes from the feed, `RaceState` from the store; `raceday.domain.derive` makes of both one `RacePoll`,
which the store writes in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from raceday.domain.entrant import Entrant
from raceday.domain.money_flow import BucketAmounts, HoldShare, IncrementRepair, MoneyFlowBucket
from raceday.domain.odds import Odds, OddsTick
from raceday.domain.pools import PoolTotals
from raceday.domain.quality import PollQuality
from raceday.domain.race import Race, StatusTransition
from raceday.domain.result import KnownResult, RaceResult
from raceday.domain.status import RaceStatus


@dataclass(frozen=True, slots=True)
class RaceEvent:
    """One response of the feed about one race, mapped to the domain.

    `pools` is None when the response carries no pools at all, `holds` is None when it has no money tracker.
    `foreign_tracker_ids` counts tracker entrants that do not run in this race and were dropped.
    """

    race: Race
    entrants: tuple[Entrant, ...]
    pools: PoolTotals | None
    holds: Mapping[str, HoldShare] | None
    result: RaceResult | None
    generated_at: datetime
    foreign_tracker_ids: int = 0
    duplicates: int = 0
    drift: Mapping[str, int] = field(default_factory=dict)
    feed_error: str = ""


@dataclass(frozen=True, slots=True)
class KnownEntrant:
    """What the store holds of a runner, as far as the next poll is compared with it.

    `alert_odds` is the win price when the runner last raised an event for alerts, None before it had one.
    """

    entrant_id: str
    odds: Odds
    scratched: bool
    fingerprint: str
    buckets: tuple[BucketAmounts, ...] = ()
    alert_odds: float | None = None


@dataclass(frozen=True, slots=True)
class RaceState:
    """The last known state of a race. `fingerprint` is that of the last response written, empty before."""

    race_id: str
    status: RaceStatus
    advertised_start: datetime
    fingerprint: str = ""
    entrants: Mapping[str, KnownEntrant] = field(default_factory=dict)
    pools: PoolTotals | None = None
    result: KnownResult | None = None
    generated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PollTiming:
    """When a poll was due, when it was made, and how long the feed took.

    `due_at` is None for an import, which no cadence asked for. `interval_s` is the cadence's interval then.
    """

    polled_at: datetime
    due_at: datetime | None
    interval_s: int | None
    latency_ms: int

    @property
    def lateness_s(self) -> float:
        """How long after it was due the poll was made; never negative."""
        if self.due_at is None:
            return 0.0
        return max(0.0, (self.polled_at - self.due_at).total_seconds())


@dataclass(frozen=True, slots=True)
class RacePoll:
    """Everything that one poll changes. Written by `RaceStore.save_poll` as a whole or not at all.

    `runners` are all that the response named, `entrants` those that are new or changed, `moved` those that moved far
    enough for an alert, so that the store raises an event for the race; `alert_odds` are the prices from which their
    next moves are counted. `changed` is
    False when the feed said nothing new: then only the poll itself is written. `degraded` marks a poll whose quality
    is below the threshold: it is kept all the same. `drift` counts what strayed from the feed's usual shape.
    """

    race: Race
    timing: PollTiming
    changed: bool
    fingerprint: str
    generated_at: datetime
    status: RaceStatus
    transition: StatusTransition | None
    runners: tuple[Entrant, ...]
    entrants: tuple[Entrant, ...]
    entrant_fingerprints: Mapping[str, str]
    moved: frozenset[str]
    alert_odds: Mapping[str, float]
    odds_ticks: tuple[OddsTick, ...]
    buckets: tuple[MoneyFlowBucket, ...]
    repairs: tuple[IncrementRepair, ...]
    pools: PoolTotals | None
    result: RaceResult | None
    quality: PollQuality
    consistent: bool
    stale: bool
    degraded: bool
    implied_pct: Mapping[str, float] = field(default_factory=dict)
    holds: Mapping[str, HoldShare] = field(default_factory=dict)
    drift: Mapping[str, int] = field(default_factory=dict)
