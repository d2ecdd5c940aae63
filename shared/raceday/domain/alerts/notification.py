"""What a user is told about one crossing of one configuration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.crossings import Crossing
from raceday.domain.alerts.defaults import default_colour
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.ids import derived_id


@dataclass(frozen=True, slots=True)
class Notification:
    """A crossing with whose it is and which runner it is about. The owner is the configuration's, never an event's.

    `cooldown_s`: the configuration tells nothing else about the runner so many seconds before and after it.
    """

    notification_id: str
    config: AlertConfig
    runner: EntrantUpdate
    crossing: Crossing
    cooldown_s: int = 0

    @property
    def colour(self) -> str:
        """The colour to show it in, `#RRGGBB`."""
        return self.config.colour or default_colour(self.config.display_order)


@dataclass(frozen=True, slots=True)
class StoredNotification:
    """A notification as its owner reads it; prices, or percents of the money, before and after, and the change."""

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
    read: bool = False
    delivery_state: str = ""


class ToldBefore(NamedTuple):
    """What is stored of a notification, as far as the next ones are held apart from it."""

    config_id: str
    entrant_id: str
    crossed_at: datetime


def notification(
    config: AlertConfig, runner: EntrantUpdate, crossing: Crossing, default_cooldown_s: int = 0
) -> Notification:
    """Return the notification of a crossing; its id is made of configuration, runner and time bucket."""
    notification_id = derived_id("notification", config.config_id, runner.entrant_id, crossing.slot)
    cooldown_s = default_cooldown_s if config.cooldown_s is None else config.cooldown_s
    return Notification(notification_id, config, runner, crossing, cooldown_s)


def held_apart(new: Iterable[Notification], told: Iterable[ToldBefore]) -> list[Notification]:
    """Return the new notifications, in the order of time, that no cool-down keeps from being told.

    What polls saw is worked out with its cool-downs from the race's past alone, so this leaves it as it is. It keeps
    apart what is not in that past in the same way twice: a price that another writer wrote and a poll saw as well, or
    a past that moved because the start was put back.
    """
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for before in told:
        times[before.config_id, before.entrant_id].append(before.crossed_at)
    kept = []
    for candidate in sorted(new, key=lambda each: (each.crossing.at, each.notification_id)):
        others = times[candidate.config.config_id, candidate.runner.entrant_id]
        apart = timedelta(seconds=candidate.cooldown_s)
        if all(abs(candidate.crossing.at - other) >= apart for other in others):
            others.append(candidate.crossing.at)
            kept.append(candidate)
    return kept


def title(told: Notification) -> str:
    """Return the headline, `7 Cerise Dancer shortened 41.7 %`."""
    crossing = told.crossing
    amount = crossing.amount or 0.0
    match crossing.kind:
        case AlertKind.SCRATCHING:
            what = "scratched"
        case AlertKind.MONEY_SHARE_RISE:
            what = f"money up {amount:.1f} points"
        case AlertKind.ODDS_DRIFTING:
            what = f"drifted {amount:.1f} %"
        case _:
            what = f"shortened {amount:.1f} %"
    return f"{_runner(told.runner)} {what}"


def message(told: Notification) -> str:
    """Return the sentence below the headline: the values before and after, over which time, and how near the start."""
    crossing = told.crossing
    if crossing.kind is AlertKind.SCRATCHING:
        return f"{_runner(told.runner)} was withdrawn at {crossing.at:%H:%M} UTC."
    if crossing.kind is AlertKind.MONEY_SHARE_RISE:
        values = f"Share of the new money from {crossing.before:.1f} % to {crossing.after:.1f} %"
    else:
        values = f"Win price from ${crossing.before:.2f} to ${crossing.after:.2f}"
    return f"{values} {_span(told)}{_to_start(crossing.bucket)}."


def _runner(runner: EntrantUpdate) -> str:
    number = "" if runner.runner_number is None else f"{runner.runner_number} "
    return f"{number}{runner.name or 'Unnamed runner'}"


def _span(told: Notification) -> str:
    if told.config.kind is not AlertKind.PERCENTAGE_RANGE:
        return f"within {_duration(told.config.window_s)}"
    return "since the time bucket before" if told.crossing.bucket is not None else "since the price before"


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def _to_start(bucket: int | None) -> str:
    if bucket is None:
        return ""
    if bucket >= 60:
        return ", over 55 min before the start"
    if bucket == 0:
        return ", at the start"
    return f", {bucket} min before the start" if bucket > 0 else f", {-bucket} min after the advertised start"
