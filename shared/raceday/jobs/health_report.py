"""Looks at how RaceDay is doing: reads the figures, judges them. Writes nothing, asks nobody but the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from raceday.domain.health import (
    LOOKED_AHEAD,
    LOOKED_BACK,
    Health,
    QualityFigures,
    Retention,
    StageHealth,
    SweepHealth,
    Target,
    degraded_by_component,
)
from raceday.domain.poll_audit import audit_polls
from raceday.domain.racing_day import DailyStage, current_card, stage_due_at
from raceday.jobs.keep_history import HISTORY_MARK
from raceday.jobs.race_coverage import coverages_of
from raceday.jobs.schedule_polls import SWEEPERS
from raceday.jobs.verdicts import Problem, problems_of

if TYPE_CHECKING:
    from raceday.store.ports import RaceStore

COVERED_AHEAD = timedelta(minutes=60)
"""A race that starts later has no bucket that is over."""


@dataclass(frozen=True, slots=True)
class HealthPlan:
    """What to look at: the functions of the bundle with their targets, and the configuration that they run with."""

    targets: Mapping[str, Target]
    quality_threshold: int
    retention_days: int
    sweep_minutes: int


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The figures and what is wrong with them."""

    health: Health
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


async def health_report(store: RaceStore, at: datetime, plan: HealthPlan) -> HealthReport:
    """Return how things stood at an instant, from what the store holds of the 24 hours before it.

    The status of a race is its present one, also when `at` is past.
    """
    health = await _figures(store, at, plan)
    return HealthReport(health, problems_of(health))


async def _figures(store: RaceStore, at: datetime, plan: HealthPlan) -> Health:
    since = at - LOOKED_BACK
    races = await store.followed_races(since, at + LOOKED_AHEAD)
    begun = [race for race in races if race.advertised_start <= at + COVERED_AHEAD]
    runs = await store.function_runs(tuple(plan.targets), since, at)
    polls = audit_polls([mark for mark in await store.poll_marks(since) if mark.polled_at <= at])
    degraded = degraded_by_component(await store.degraded_polls(since, at))
    return Health(
        at=at,
        functions=tuple(replace(runs[function], target=target) for function, target in plan.targets.items()),
        races=tuple(races),
        coverage=tuple(await coverages_of(store, begun, at)),
        polls=polls,
        quality=QualityFigures(
            p5=polls.quality_p5 if polls.polls else None,
            p50=polls.quality_p50 if polls.polls else None,
            threshold=plan.quality_threshold,
            degraded=degraded,
        ),
        failures=tuple(await store.poll_failures(since, at)),
        stages=await _stages(store, at),
        sweeps=SweepHealth(plan.sweep_minutes, {function: await store.swept_to(function) for function in SWEEPERS}),
        backlog=await store.backlog(at),
        retention=Retention(plan.retention_days, await store.swept_to(HISTORY_MARK)),
    )


async def _stages(store: RaceStore, at: datetime) -> tuple[StageHealth, ...]:
    """Return the stages of the card that is being raced."""
    card = current_card(at)
    return tuple(
        [StageHealth(stage, stage_due_at(card, stage), await store.stage(card, stage)) for stage in DailyStage]
    )
