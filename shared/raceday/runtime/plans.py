"""Turns the configuration into the plan that polling takes. What other jobs take is made in modules of its own, so that
no function imports a job that it does not run.
"""

from __future__ import annotations

from datetime import timedelta

from raceday.domain.cadence import CadencePolicy
from raceday.jobs.dispatch import FOLLOW
from raceday.jobs.poll_races import PollPlan
from raceday.runtime.derive_settings import derive_settings
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.handler import Run


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
