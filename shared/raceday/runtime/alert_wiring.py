"""Chooses what a run of alert-evaluator does. Nobody else needs any of it."""

from __future__ import annotations

from raceday.errors import InvalidRequest
from raceday.jobs.deliver_notifications import deliver_notifications
from raceday.jobs.evaluate_alerts import AlertPlan, evaluate_runners_of
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_alerts import resume_alerts, sweep_alerts
from raceday.runtime.handler import Run
from raceday.runtime.written_runners import written_runners

NOBODY = "-"


def alert_plan(run: Run) -> AlertPlan:
    """Return how alerts are evaluated."""
    default_user = run.settings.alert_default_user
    return AlertPlan(
        default_user="" if default_user == NOBODY else default_user,
        cooldown_s=run.settings.alert_cooldown_s,
        deliver=bool(run.settings.alert_channels),
    )


async def run_alerts(run: Run) -> RunReport:
    """Evaluate the runners of an event; without one sweep and deliver, or only what the body asks for.

    `resume` goes on with what events had no time for and delivers, `deliver` delivers alone.
    """
    plan = alert_plan(run)
    if run.request.trigger == "event":
        return await evaluate_runners_of(run.ports, written_runners(run.request), plan)
    if _asked(run, "resume"):
        await resume_alerts(run.ports, plan)
    elif not _asked(run, "deliver"):
        await sweep_alerts(run.ports, plan)
    if plan.deliver:
        # Imported where something may leave the house: most runs are events, which only evaluate.
        from raceday.runtime.alert_senders import open_senders  # noqa: PLC0415

        async with open_senders(run) as senders:
            await deliver_notifications(run.ports, senders)
    return run.ports.report


def _asked(run: Run, what: str) -> bool:
    asked = run.request.body.get(what, False)
    if asked is True or asked == "true":
        return True
    if asked is False or asked == "false":
        return False
    raise InvalidRequest(what, "is neither true nor false")
