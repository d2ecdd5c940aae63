"""alert-evaluator, delivery: sends what is pending to where its user wants to be told beside the dashboard.

At least once: a delivery that a run took and could not note is tried again. Receivers tell it by the notification's
id, which a webhook gets as its message id and a push as its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Protocol

from raceday.domain.alerts.delivery import AlertChannels, Channel, Delivery, Outcome, after_attempt
from raceday.errors import OutboundRefused, OutboundUnavailable
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport

TAKEN_FOR = timedelta(minutes=2)
"""Longer than a run: what it took and never noted is taken up by another one after this."""
AT_ONCE = 50
USERS_AT_ONCE = 10
SEND_MARGIN_S = 8.0
"""A try of both channels begins only when this is left of the run."""


class Sender(Protocol):
    """One way out of the house."""

    async def send(self, delivery: Delivery, to: AlertChannels) -> None:
        """Deliver one notification.

        Raises `OutboundRefused` when it is no use to try again, `OutboundUnavailable` when it is.
        """
        ...


Senders = Mapping[Channel, Sender]


async def deliver_notifications(ports: JobPorts, senders: Senders) -> RunReport:
    """Send what is due over the given channels until nothing is, or the deadline is near.

    Users are served side by side, each user's notifications one after the other: an address that does not answer
    holds up nobody else, and costs its own user one wait and not one for each notification.
    """
    states: Counter[str] = Counter()
    while ports.deadline.allows(SEND_MARGIN_S):
        now = ports.clock.now()
        taken = await ports.store.take_deliveries(now, now + TAKEN_FOR, AT_ONCE)
        if not taken:
            break
        tried = await _deliver(ports, senders, taken)
        await ports.store.save_deliveries(tried, ports.clock.now())
        states.update(delivery.state.value for delivery in tried)
    for state, count in states.items():
        ports.report.details[state] = count
    ports.report.processed += states.total()
    return ports.report


async def _deliver(ports: JobPorts, senders: Senders, taken: Sequence[Delivery]) -> list[Delivery]:
    by_user = sorted(taken, key=lambda delivery: (delivery.user_id, delivery.crossed_at, delivery.notification_id))
    users = {user_id: list(mine) for user_id, mine in groupby(by_user, key=lambda delivery: delivery.user_id)}
    channels = await ports.store.alert_channels(list(users))
    room = asyncio.Semaphore(USERS_AT_ONCE)

    async def serve(user_id: str, mine: list[Delivery]) -> list[Delivery]:
        async with room:
            return await _UserDeliveries(ports, senders, channels.get(user_id)).deliver(mine)

    tried = await asyncio.gather(*(serve(user_id, mine) for user_id, mine in users.items()))
    return [delivery for mine in tried for delivery in mine]


class _UserDeliveries:
    """One user's channels during one run; a channel that did not answer is not asked again in it."""

    def __init__(self, ports: JobPorts, senders: Senders, to: AlertChannels | None) -> None:
        self._ports = ports
        self._senders = senders
        self._to = to
        self._silent: dict[Channel, str] = {}

    async def deliver(self, mine: Sequence[Delivery]) -> list[Delivery]:
        return [await self._try(delivery) for delivery in mine]

    async def _try(self, delivery: Delivery) -> Delivery:
        now = self._ports.clock.now()
        if delivery.out_of_date(now):
            return delivery.unsent("it was crossed more than 15 minutes ago")
        wanted = self._to.wanted() & self._senders.keys() if self._to is not None else frozenset()
        if self._to is None or not wanted:
            return delivery.unsent("the user has no channel")
        outcomes = {
            channel: await self._send(channel, delivery, self._to) for channel in delivery.open_channels(wanted)
        }
        return after_attempt(delivery, outcomes, self._ports.clock.now())

    async def _send(self, channel: Channel, delivery: Delivery, to: AlertChannels) -> tuple[Outcome, str]:
        if channel in self._silent:
            return Outcome.UNAVAILABLE, self._silent[channel]
        try:
            await self._senders[channel].send(delivery, to)
        except OutboundRefused as error:
            self._log_failure(channel, delivery, error)
            return Outcome.REFUSED, str(error)
        except OutboundUnavailable as error:
            self._log_failure(channel, delivery, error)
            self._silent[channel] = str(error)
            return Outcome.UNAVAILABLE, str(error)
        return Outcome.DELIVERED, ""

    def _log_failure(self, channel: Channel, delivery: Delivery, error: Exception) -> None:
        """Log which notification did not go out; not where to, since an address may hold a secret."""
        self._ports.log.warning(
            "delivery_failed",
            channel=channel.value,
            notification_id=delivery.notification_id,
            attempt=delivery.attempts,
            error=type(error).__name__,
        )
