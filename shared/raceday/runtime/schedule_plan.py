"""Turns the configuration into the plan that the scheduler takes."""

from __future__ import annotations

from raceday.jobs.schedule_polls import SchedulePlan
from raceday.runtime.handler import Run
from raceday.runtime.plans import poll_plan


def schedule_plan(run: Run) -> SchedulePlan:
    """Return how the scheduler dispatches."""
    settings = run.settings
    return SchedulePlan(poll_plan(run), settings.dispatch, settings.ticks, settings.follow, settings.sweep_minutes)
