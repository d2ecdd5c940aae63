"""alert-evaluator, delivery: sends what is pending to where its user wants to be told beside the dashboard.

At least once: a delivery that a run took and could not note is tried again. Receivers tell it by the notification's
id, which a webhook gets as its message id and a push as its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from raceday.domain.alerts.delivery import AlertChannels, Channel, Delivery, Outcome, after_attempt
from raceday.errors import OutboundRefused, OutboundUnavailable, StoreUnavailable
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport

TAKEN_FOR = timedelta(minutes=2)
"""Longer than a run: what it took and never noted is taken up by another one after this."""
AT_ONCE = 50
USERS_AT_ONCE = 10
SEND_MARGIN_S = 8.0
"""A try, of both channels side by side, begins only when this is left of the run."""


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
    holds up nobody else, and costs its own user one wait and not one for each notification. What there is no time
    for is handed back as if it had not been taken.
    """
    run = _DeliveryRun(ports, senders)
    while ports.deadline.allows(SEND_MARGIN_S):
        now = ports.clock.now()
        taken = await ports.store.take_deliveries(now, now + TAKEN_FOR, AT_ONCE)
        if not taken:
            break
        await run.deliver(taken)
    for state, count in run.states.items():
        ports.report.details[state] = count
    ports.report.processed += run.states.total()
    return ports.report


class _DeliveryRun:
    """One run: what became of what it tried, and the channels that did not answer, which it does not ask again."""

    def __init__(self, ports: JobPorts, senders: Senders) -> None:
        self.states: Counter[str] = Counter()
        self._ports = ports
        self._senders = senders
        self._silent: dict[tuple[str, Channel], str] = {}

    async def deliver(self, taken: Sequence[Delivery]) -> None:
        """Try some deliveries and note what became of each."""
        by_user = sorted(taken, key=_of_user_by_time)
        users = {user_id: list(mine) for user_id, mine in groupby(by_user, key=_user_id)}
        channels = await self._ports.store.alert_channels(list(users))
        room = asyncio.Semaphore(USERS_AT_ONCE)

        async def serve(user_id: str, mine: Sequence[Delivery]) -> None:
            async with room:
                await self._serve(user_id, mine, channels.get(user_id))

        await asyncio.gather(*(serve(user_id, mine) for user_id, mine in users.items()))

    async def _serve(self, user_id: str, mine: Sequence[Delivery], to: AlertChannels | None) -> None:
        """Try one user's deliveries as long as there is time, and note them at once: others may take longer."""
        tried: list[Delivery] = []
        while len(tried) < len(mine) and self._ports.deadline.allows(SEND_MARGIN_S):
            tried.append(await self._try(mine[len(tried)], to))
        now = self._ports.clock.now()
        left = [delivery.handed_back(now) for delivery in mine[len(tried) :]]
        try:
            await self._ports.store.save_deliveries([*tried, *left], now)
        except StoreUnavailable as error:
            self._ports.log.warning("deliveries_not_noted", deliveries=len(mine), message=str(error))
            self._ports.report.fail(f"deliveries of {user_id}", error)
            return
        self.states.update(delivery.state.value for delivery in tried)
        self._ports.report.remaining += len(left)

    async def _try(self, delivery: Delivery, to: AlertChannels | None) -> Delivery:
        if not delivery.owned:
            self._ports.log.warning("delivery_of_nobodys", notification_id=delivery.notification.notification_id)
            return delivery.unsent("the row's permissions do not name its user")
        if delivery.out_of_date(self._ports.clock.now()):
            return delivery.unsent("it was crossed more than 15 minutes before the first try")
        wanted = to.wanted() & self._senders.keys() if to is not None else frozenset()
        if to is None or not wanted:
            return delivery.unsent("the user has no channel")
        channels = delivery.open_channels(wanted)
        outcomes = await asyncio.gather(*(self._send(channel, delivery, to) for channel in channels))
        return after_attempt(delivery, dict(zip(channels, outcomes, strict=True)), self._ports.clock.now())

    async def _send(self, channel: Channel, delivery: Delivery, to: AlertChannels) -> tuple[Outcome, str]:
        silent = self._silent.get((to.user_id, channel))
        if silent is not None:
            return Outcome.UNAVAILABLE, silent
        try:
            await self._senders[channel].send(delivery, to)
        except OutboundRefused as error:
            self._log_failure(channel, delivery, error, error.detail)
            return Outcome.REFUSED, str(error)
        except OutboundUnavailable as error:
            self._log_failure(channel, delivery, error)
            self._silent[to.user_id, channel] = str(error)
            return Outcome.UNAVAILABLE, str(error)
        except Exception as error:  # noqa: BLE001 (an address or a secret that nobody foresaw must not cost the others)
            self._log_failure(channel, delivery, error)
            return Outcome.REFUSED, f"it cannot be sent ({type(error).__name__})"
        return Outcome.DELIVERED, ""

    def _log_failure(self, channel: Channel, delivery: Delivery, error: Exception, detail: str = "") -> None:
        """Log which notification did not go out; not the whole address, whose path may hold a secret."""
        self._ports.log.warning(
            "delivery_failed",
            channel=channel.value,
            notification_id=delivery.notification.notification_id,
            attempt=delivery.attempts,
            error=type(error).__name__,
            detail=detail,
        )


def _user_id(delivery: Delivery) -> str:
    return delivery.notification.user_id


def _of_user_by_time(delivery: Delivery) -> tuple[str, datetime, str]:
    told = delivery.notification
    return told.user_id, told.crossed_at, told.notification_id
