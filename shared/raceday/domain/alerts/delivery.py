"""How a notification leaves the house: which channels it still has to go to, and when it is tried again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from raceday.domain.alerts.notification import StoredNotification

MAX_ATTEMPTS = 6
FIRST_RETRY = timedelta(minutes=1)
OUT_OF_DATE = timedelta(minutes=15)
"""What was crossed longer ago than this before anybody tried to send it helps nobody any more and is not sent."""


class Channel(StrEnum):
    """A way out of the house; the row in `notifications` is there in any case."""

    WEBHOOK = "webhook"
    PUSH = "push"


_NEXT_CHANNEL = re.compile(f"; (?={'|'.join(Channel)}: )")


class DeliveryState(StrEnum):
    """What became of a notification, or of one of its channels."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    NONE = "none"
    """Nothing goes out: no channel, or too late."""


class Outcome(StrEnum):
    """How one try of one channel ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """It would be refused again: do not retry."""
    UNAVAILABLE = "unavailable"
    """Retry later."""


@dataclass(frozen=True, slots=True)
class AlertChannels:
    """Where else a user wants to be told. The secret signs what goes to the webhook, and is never written to a log."""

    user_id: str
    webhook_url: str = ""
    webhook_secret: str = ""
    push: bool = False

    def __repr__(self) -> str:
        return f"AlertChannels({self.user_id!r})"

    def wanted(self) -> frozenset[Channel]:
        """Return the channels that are set up."""
        channels = {Channel.WEBHOOK} if self.webhook_url else set()
        return frozenset(channels | {Channel.PUSH} if self.push else channels)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification on its way out. `attempts` counts the tries, the present one included.

    `owned`: the row's permissions say that it is its user's; another one is sent to nobody. `settled` holds the
    channels that need no further try, `delivered` or `failed`.
    """

    notification: StoredNotification
    owned: bool
    attempts: int = 1
    settled: Mapping[Channel, DeliveryState] | None = None
    state: DeliveryState = DeliveryState.PENDING
    next_at: datetime | None = None
    reason: str = ""

    def open_channels(self, channels: frozenset[Channel]) -> list[Channel]:
        """Return those of the channels that it has still to go to, in a fixed order."""
        return sorted(channels - frozenset(self.settled or {}))

    def out_of_date(self, at: datetime) -> bool:
        """Whether it is too late to begin telling; what was begun in time is tried to the end."""
        return self.attempts <= 1 and at - self.notification.crossed_at > OUT_OF_DATE

    def unsent(self, reason: str) -> Delivery:
        """Return it as one that does not go out, and why."""
        return replace(self, state=DeliveryState.NONE, next_at=None, reason=reason)

    def handed_back(self, at: datetime) -> Delivery:
        """Return it as one that was taken and not tried: due at once, and the attempt does not count."""
        return replace(self, attempts=self.attempts - 1, next_at=at)


def retry_after(attempts: int) -> timedelta:
    """Return the pause after so many failed tries: 1, 2, 4, 8, 16 minutes."""
    return FIRST_RETRY * (1 << (attempts - 1))


def after_attempt(delivery: Delivery, outcomes: Mapping[Channel, tuple[Outcome, str]], at: datetime) -> Delivery:
    """Return a delivery after one try of its open channels; each outcome comes with the reason it failed, if it did.

    A channel that was delivered or refused is not tried again. The whole is delivered when every channel was, failed
    when none is left to try and one failed, or when it was tried `MAX_ATTEMPTS` times. Why a channel failed is said
    to the end, whatever becomes of the other.
    """
    before = _reasons(delivery)
    settled = dict(delivery.settled or {})
    for channel, (outcome, _) in outcomes.items():
        if outcome is Outcome.DELIVERED:
            settled[channel] = DeliveryState.DELIVERED
        elif outcome is Outcome.REFUSED or delivery.attempts >= MAX_ATTEMPTS:
            settled[channel] = DeliveryState.FAILED
    reasons = before | {channel: reason for channel, (_, reason) in outcomes.items() if reason}
    said = "; ".join(f"{channel}: {reason}" for channel, reason in sorted(reasons.items()))
    tried = replace(delivery, settled=settled, reason=said)
    if any(channel not in settled for channel in outcomes):
        return replace(tried, state=DeliveryState.PENDING, next_at=at + retry_after(delivery.attempts))
    failed = DeliveryState.FAILED in settled.values()
    return replace(tried, state=DeliveryState.FAILED if failed else DeliveryState.DELIVERED, next_at=None)


def _reasons(delivery: Delivery) -> dict[str, str]:
    """Return why the channels failed that are not tried any more, by channel, as `after_attempt` wrote it."""
    failed = {channel for channel, state in (delivery.settled or {}).items() if state is DeliveryState.FAILED}
    said = (part.partition(": ") for part in _NEXT_CHANNEL.split(delivery.reason))
    return {channel: reason for channel, _, reason in said if channel in failed}
