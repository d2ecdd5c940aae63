"""Turns the configuration into the plan that the scheduler takes."""

from __future__ import annotations

from datetime import timedelta

from raceday.jobs.due_races import DuePlan
from raceday.jobs.schedule_polls import SchedulePlan
from raceday.runtime.handler import Run


def schedule_plan(run: Run) -> SchedulePlan:
    """Return how the scheduler dispatches; each of its looks has an end of its own."""
    settings = run.settings
    due = DuePlan(settings.policy, run.ports.deadline.at, timedelta(hours=settings.long_stop_h))
    return SchedulePlan(due, settings.dispatch, settings.ticks, settings.follow, settings.sweep_minutes)
