"""Turns the configuration into the plans that jobs take."""

from __future__ import annotations

from datetime import date, timedelta

from raceday.domain.cadence import CadencePolicy
from raceday.domain.derive import DeriveSettings
from raceday.domain.racing_day import racing_date
from raceday.errors import InvalidRequest
from raceday.jobs.import_entrants import EntrantsPlan
from raceday.jobs.poll_races import PollPlan
from raceday.jobs.schedule_polls import FOLLOW, SchedulePlan
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.handler import Run


def derive_settings(run: Run) -> DeriveSettings:
    """Return how polls are derived."""
    return DeriveSettings(run.settings.estimator, run.settings.alert_move_pct, run.settings.quality_threshold)


def poll_plan(run: Run, policy: CadencePolicy | None = None) -> PollPlan:
    """Return how this run polls; `policy` overrides the configured cadence.

    A function that recurs every minute follows races for most of it, the others have until their deadline.
    """
    until = run.ports.deadline.at
    if FUNCTIONS[run.ports.function].recurs_every_minute:
        until = min(run.ports.clock.now() + FOLLOW, until)
    return PollPlan(
        policy=policy or run.settings.policy,
        until=until,
        concurrency=run.settings.concurrency,
        long_stop=timedelta(hours=run.settings.long_stop_h),
        derive=derive_settings(run),
    )


def schedule_plan(run: Run) -> SchedulePlan:
    """Return how the scheduler dispatches."""
    settings = run.settings
    return SchedulePlan(poll_plan(run), settings.dispatch, settings.ticks, settings.follow, settings.sweep_minutes)


def entrants_plan(run: Run) -> EntrantsPlan:
    """Return how many runners' races a run imports."""
    return EntrantsPlan(run.settings.entrants_per_run, run.settings.politeness_s, derive_settings(run))


def asked_racing_date(run: Run) -> date:
    """Return the `date` of the request, or the racing date of now; raises `InvalidRequest` for anything else."""
    asked = run.request.body.get("date")
    if asked is None:
        return racing_date(run.ports.clock.now())
    try:
        return date.fromisoformat(str(asked))
    except ValueError:
        raise InvalidRequest("date", "is not a date: write it as YYYY-MM-DD") from None
