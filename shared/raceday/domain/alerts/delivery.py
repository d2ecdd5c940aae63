"""How a notification leaves the house: which channels it still has to go to, and when it is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MAX_ATTEMPTS = 6
FIRST_RETRY = timedelta(minutes=1)
OUT_OF_DATE = timedelta(minutes=15)
"""What was crossed longer ago than this helps nobody any more and is not sent."""


class Channel(StrEnum):
    """A way out of the house; the row in `notifications` is there in any case."""

    WEBHOOK = "webhook"
    PUSH = "push"


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

    `settled` holds the channels that need no further try, `delivered` or `failed`.
    """

    notification_id: str
    user_id: str
    title: str
    message: str
    kind: str
    race_id: str
    entrant_id: str
    config_id: str
    crossed_at: datetime
    change: float | None = None
    value_before: float | None = None
    value_after: float | None = None
    bucket: int | None = None
    colour: str = ""
    attempts: int = 1
    settled: Mapping[Channel, DeliveryState] | None = None
    state: DeliveryState = DeliveryState.PENDING
    next_at: datetime | None = None
    reason: str = ""

    def open_channels(self, channels: frozenset[Channel]) -> list[Channel]:
        """Return those of the channels that it has still to go to, in a fixed order."""
        return sorted(channels - frozenset(self.settled or {}))

    def out_of_date(self, at: datetime) -> bool:
        """Whether it is too late to tell."""
        return at - self.crossed_at > OUT_OF_DATE

    def unsent(self, reason: str) -> Delivery:
        """Return it as one that does not go out, and why."""
        return replace(self, state=DeliveryState.NONE, next_at=None, reason=reason)


def retry_after(attempts: int) -> timedelta:
    """Return the pause after so many failed tries: 1, 2, 4, 8, 16 minutes."""
    return FIRST_RETRY * (1 << (attempts - 1))


def after_attempt(delivery: Delivery, outcomes: Mapping[Channel, tuple[Outcome, str]], at: datetime) -> Delivery:
    """Return a delivery after one try of its open channels; each outcome comes with the reason it failed, if it did.

    A channel that was delivered or refused is not tried again. The whole is delivered when every channel was, failed
    when none is left to try and one failed, or when it was tried `MAX_ATTEMPTS` times.
    """
    settled = dict(delivery.settled or {})
    for channel, (outcome, _) in outcomes.items():
        if outcome is Outcome.DELIVERED:
            settled[channel] = DeliveryState.DELIVERED
        elif outcome is Outcome.REFUSED or delivery.attempts >= MAX_ATTEMPTS:
            settled[channel] = DeliveryState.FAILED
    reasons = [f"{channel}: {reason}" for channel, (_, reason) in sorted(outcomes.items()) if reason]
    tried = replace(delivery, settled=settled, reason="; ".join(reasons) or delivery.reason)
    if any(channel not in settled for channel in outcomes):
        return replace(tried, state=DeliveryState.PENDING, next_at=at + retry_after(delivery.attempts))
    failed = DeliveryState.FAILED in settled.values()
    state = DeliveryState.FAILED if failed else DeliveryState.DELIVERED
    return replace(tried, state=state, next_at=None, reason=tried.reason if failed else "")
