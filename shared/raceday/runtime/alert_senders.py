"""Opens the channels over which notifications leave the house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from raceday.domain.alerts.delivery import Channel
from raceday.jobs.deliver_notifications import Sender, Senders
from raceday.outbound.http import OutboundHttp
from raceday.outbound.webhook import WebhookSender
from raceday.runtime.handler import Run
from raceday.runtime.platform import platform_settings
from raceday.runtime.platform_wiring import platform_connections
from raceday.runtime.push import NoPush, PushSender
from raceday.runtime.wiring import open_environment
from raceday.store.appwrite.rest import AppwriteRest

SEND_TIMEOUT_S = 5.0
"""Of one try of one channel."""


@asynccontextmanager
async def open_senders(run: Run) -> AsyncIterator[Senders]:
    """Open the configured channels for one run."""
    outside = OutboundHttp(allow_private=run.settings.webhook_private, timeout_s=SEND_TIMEOUT_S)
    senders: dict[Channel, Sender] = {
        Channel.WEBHOOK: WebhookSender(outside, run.ports.clock),
        Channel.PUSH: _push_sender(run),
    }
    try:
        yield {channel: sender for channel, sender in senders.items() if channel.value in run.settings.alert_channels}
    finally:
        await outside.aclose()


def _push_sender(run: Run) -> Sender:
    platform = platform_settings(run.settings, run.request, open_environment())
    if platform is None:
        return NoPush()
    hurried = replace(platform, attempt_timeout_s=SEND_TIMEOUT_S)
    return PushSender(AppwriteRest(hurried, platform_connections()))
