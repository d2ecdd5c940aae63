"""The closing snapshot of a race: how it stood at the close and how well it was followed, kept for good.

It is made once the race is over, from everything that is stored of it, and outlives the series it sums up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from raceday.domain.coverage import FollowedRace, coverage_of
from raceday.domain.poll_audit import PollMark, audit_polls

if TYPE_CHECKING:
    from raceday.domain.odds import Odds
    from raceday.domain.pools import PoolTotals
    from raceday.domain.status import RaceStatus


@dataclass(frozen=True, slots=True)
class RunnerClose:
    """A runner as it stood at the close: last prices (None is no price), money in cents, shares in percent.

    `position` is its place in the result, None for a runner that the result does not name.
    """

    entrant_id: str
    runner_number: int
    name: str
    scratched: bool
    opening_fixed_win: float | None
    odds: Odds
    win_cents: int | None
    place_cents: int | None
    hold_pct: float | None
    implied_pct: float | None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class PollingFigures:
    """How well a race was followed: polls, percent of its time buckets, scores, seconds late; None is not measured."""

    polls: int
    failed_polls: int
    degraded_polls: int
    coverage_pct: float | None
    quality_p5: int | None
    quality_p50: int | None
    lateness_p95_s: float | None


@dataclass(frozen=True, slots=True)
class RaceHistory:
    """Everything stored of a race that its closing snapshot is made from.

    `buckets` are the time buckets that have a row, `placings` the positions of the result by entrant id,
    `result_print` the fingerprint of that result (empty without one), `pools` None when no response had any,
    `earlier` what a snapshot says that was made before.
    """

    race: FollowedRace
    race_date_nz: str
    polls: tuple[PollMark, ...]
    degraded_polls: int
    failed_polls: int
    buckets: frozenset[int]
    pools: PoolTotals | None
    runners: tuple[RunnerClose, ...]
    placings: Mapping[str, int] = field(default_factory=dict)
    result_print: str = ""
    earlier: PollingFigures | None = None


@dataclass(frozen=True, slots=True)
class RaceClosing:
    """The snapshot. `result_print` tells by which result it was made: an amended one makes it anew."""

    race_id: str
    race_date_nz: str
    status: RaceStatus
    closed_at: datetime
    figures: PollingFigures
    pools: PoolTotals | None
    runners: tuple[RunnerClose, ...]
    result_print: str


def closing_of(history: RaceHistory, at: datetime) -> RaceClosing:
    """Return the closing snapshot of a race, taken at `at`.

    Polls only ever become fewer when history is dropped; what was measured before that stays.
    """
    earlier = history.earlier
    kept = earlier if earlier is not None and earlier.polls > len(history.polls) else None
    return RaceClosing(
        race_id=history.race.race_id,
        race_date_nz=history.race_date_nz,
        status=history.race.status,
        closed_at=at,
        figures=kept or _figures(history, at),
        pools=history.pools,
        runners=tuple(replace(runner, position=history.placings.get(runner.entrant_id)) for runner in history.runners),
        result_print=history.result_print,
    )


def _figures(history: RaceHistory, at: datetime) -> PollingFigures:
    audit = audit_polls(history.polls)
    return PollingFigures(
        polls=audit.polls,
        failed_polls=history.failed_polls,
        degraded_polls=history.degraded_polls,
        coverage_pct=coverage_of(history.race, history.buckets, at).pct,
        quality_p5=audit.quality_p5 if audit.polls else None,
        quality_p50=audit.quality_p50 if audit.polls else None,
        lateness_p95_s=audit.lateness_p95_s if any(mark.due_at is not None for mark in history.polls) else None,
    )
