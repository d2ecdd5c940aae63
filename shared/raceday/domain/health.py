"""How RaceDay is doing: the figures that an operator looks at, and what they are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from raceday.domain.coverage import FollowedRace, RaceCoverage
from raceday.domain.poll_audit import PollAudit
from raceday.domain.quality import COMPONENTS, EXPECTED_POOLS, PollQuality, QualityInputs, poll_quality
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.errors import FeedThrottled

LOOKED_BACK = timedelta(hours=24)
"""What the figures are about: the last 24 hours."""
LOOKED_AHEAD = timedelta(hours=24)
"""A race that is to start within this has to be followed."""
THROTTLED = FeedThrottled.__name__
"""The kind of failure that says that the feed asked us to slow down."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a function is held to: runs that succeed, in percent, and the longest that one may take, if anything."""

    success_pct: float = 99.5
    longest_s: float | None = None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a function in the ledger."""

    started_at: datetime
    ended_at: datetime
    status_code: int


@dataclass(frozen=True, slots=True)
class FunctionRuns:
    """The runs of one function in the last 24 hours, and its newest one, however long ago.

    A run failed when it answered 500 or more, as the platform counts; 4xx is the caller's mistake, or a prerequisite
    that is still to come. `throttled` runs named the feed's wish to slow down as what failed. The `target` is set by
    whoever knows the bundle, not by the store.
    """

    function: str
    runs: int = 0
    failed: int = 0
    throttled: int = 0
    mean_s: float | None = None
    longest_s: float | None = None
    last: LastRun | None = None
    target: Target = Target()

    @property
    def success_pct(self) -> float | None:
        """How many of its runs succeeded, in percent; None without runs."""
        return 100 * (self.runs - self.failed) / self.runs if self.runs else None


@dataclass(frozen=True, slots=True)
class FailureTally:
    """How often polls failed in one way, and when last; `kind` is the error's name."""

    kind: str
    polls: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be done: alerts to evaluate since `oldest_alert_at`, deliveries due since `oldest_due_at`."""

    alerts: int = 0
    oldest_alert_at: datetime | None = None
    deliveries: int = 0
    oldest_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StageHealth:
    """One stage of the day's import: when it was due, and how far it is (None: never started)."""

    stage: DailyStage
    due_at: datetime
    progress: StageProgress | None

    @property
    def complete(self) -> bool:
        """Whether it left nothing to do."""
        return self.progress is not None and self.progress.complete

    def overdue(self, at: datetime) -> timedelta:
        """How long after its hour it is still not complete; nothing when it is, or is not due yet."""
        return timedelta() if self.complete else max(timedelta(), at - self.due_at)


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """The scores of the polls of the last 24 hours; `degraded` counts polls below the threshold by component."""

    p5: int | None
    p50: int | None
    threshold: int
    degraded: Mapping[str, int] = field(default_factory=dict)


_PERFECT = poll_quality(
    QualityInputs(
        live_runners=1,
        runners_with_price=1,
        hold_sum_pct=100.0,
        hold_against_implied_pp=0.0,
        pools_present=EXPECTED_POOLS,
        shrunk_pools=0,
        payload_age_s=0.0,
        duplicates=0,
        tracker_expected=True,
    )
)


def degraded_by_component(polls: Iterable[PollQuality]) -> dict[str, int]:
    """Count degraded polls by the component that cost each of them most points; the counts sum to the polls."""
    counts = Counter(
        max(COMPONENTS, key=lambda component: getattr(_PERFECT, component) - getattr(poll, component)) for poll in polls
    )
    return dict(counts.most_common())


@dataclass(frozen=True, slots=True)
class Retention:
    """How long history is kept, and since when it is there: races that started before `history_from` have none."""

    days: int
    history_from: datetime | None


@dataclass(frozen=True, slots=True)
class SweepHealth:
    """How often functions are to look for what lost events left out (never: 0), and how far each has come.

    `swept_to` holds every function that sweeps; None is one that never has.
    """

    every_minutes: int
    swept_to: Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Health:
    """All figures at one time; `races` are those that started within the last 24 hours or will within the next."""

    at: datetime
    functions: tuple[FunctionRuns, ...]
    races: tuple[FollowedRace, ...]
    coverage: tuple[RaceCoverage, ...]
    polls: PollAudit
    quality: QualityFigures
    failures: tuple[FailureTally, ...]
    stages: tuple[StageHealth, ...]
    sweeps: SweepHealth
    backlog: Backlog
    retention: Retention

    @property
    def started(self) -> tuple[FollowedRace, ...]:
        """The races whose advertised start is past."""
        return tuple(race for race in self.races if race.advertised_start <= self.at)

    @property
    def unfinished(self) -> tuple[FollowedRace, ...]:
        """Races that started and are neither Final nor Abandoned, the longest under way first."""
        return tuple(race for race in self.started if not race.status.terminal)

    @property
    def throttling(self) -> FailureTally | None:
        """The polls that the feed refused because it was asked too often; None when it refused none."""
        return next((tally for tally in self.failures if tally.kind == THROTTLED), None)

    @property
    def racing(self) -> bool:
        """Whether there is something to follow: a race that is not over, or an import that is due."""
        return any(not race.status.terminal for race in self.races) or any(
            not stage.complete and stage.due_at <= self.at for stage in self.stages
        )

    def runs_of(self, function: str) -> FunctionRuns:
        """Return the runs of one function."""
        return next((runs for runs in self.functions if runs.function == function), FunctionRuns(function))
