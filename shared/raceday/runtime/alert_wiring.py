"""Chooses what a run of alert-evaluator does, and opens what leaves the house. Nobody else needs any of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from raceday.domain.alerts.delivery import Channel
from raceday.errors import InvalidRequest
from raceday.jobs.deliver_notifications import Sender, Senders, deliver_notifications
from raceday.jobs.evaluate_alerts import AlertPlan, evaluate_runners_of
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_alerts import resume_alerts, sweep_alerts
from raceday.outbound.http import OutboundHttp
from raceday.outbound.push import NoPush, PushSender
from raceday.outbound.webhook import WebhookSender
from raceday.runtime.handler import Run
from raceday.runtime.wiring import open_environment
from raceday.runtime.written_runners import written_runners

NOBODY = "-"
SEND_TIMEOUT_S = 5.0


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


@asynccontextmanager
async def open_senders(run: Run) -> AsyncIterator[Senders]:
    """Open the configured channels for one run."""
    outside = OutboundHttp(allow_private=run.settings.webhook_private, timeout_s=SEND_TIMEOUT_S)
    # The platform's own address, which is often a private one; nobody but the platform says what it is.
    platform = OutboundHttp(allow_private=True, timeout_s=SEND_TIMEOUT_S)
    senders: dict[Channel, Sender] = {
        Channel.WEBHOOK: WebhookSender(outside, run.ports.clock),
        Channel.PUSH: _push_sender(run, platform),
    }
    try:
        yield {channel: sender for channel, sender in senders.items() if channel.value in run.settings.alert_channels}
    finally:
        await outside.aclose()
        await platform.aclose()


def _push_sender(run: Run, http: OutboundHttp) -> Sender:
    environment = open_environment()
    endpoint = environment.get("APPWRITE_FUNCTION_API_ENDPOINT", "")
    project = environment.get("APPWRITE_FUNCTION_PROJECT_ID", "")
    key = run.request.api_key.get_secret_value()
    if not (endpoint and project and key):
        return NoPush()
    return PushSender(http, endpoint, {"x-appwrite-project": project, "x-appwrite-key": key})
