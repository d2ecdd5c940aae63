"""What alerts need of the store: configurations, a race's past, notifications and what is still to be done.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raceday.domain.alerts.config import AlertConfig
    from raceday.domain.alerts.delivery import AlertChannels, Delivery
    from raceday.domain.alerts.money import BucketMoney
    from raceday.domain.alerts.notification import Notification, StoredNotification
    from raceday.domain.entrant_update import EntrantUpdate
    from raceday.domain.odds import OddsTick


@dataclass(frozen=True, slots=True)
class AlertSubject:
    """Which configurations are asked for: those that may concern these runners of a race.

    `default_user` is told about whether it has any configuration at all; empty for nobody.
    """

    race_id: str
    entrant_ids: tuple[str, ...]
    default_user: str = ""


@dataclass(frozen=True, slots=True, order=True)
class ConfigCursor:
    """Behind which configuration a page begins; they come in the order of their users, then of their ids.

    A `config_id` of None is behind all that the user has, an empty one before it.
    """

    user_id: str = ""
    config_id: str | None = ""


@dataclass(frozen=True, slots=True)
class ConfigPage:
    """Some of the configurations asked for, `after` the cursor of the next page, None when there is none.

    `first_user` is whose the first of them is, None when there are none at all. `broken` holds the ids of those that
    cannot mean anything, each with the reason.
    """

    configs: tuple[AlertConfig, ...]
    broken: tuple[tuple[str, str], ...] = ()
    after: ConfigCursor | None = None
    first_user: str | None = None
    default_user_has_rows: bool = False


@dataclass(frozen=True, slots=True)
class AlertBacklog:
    """A race whose alerts were not evaluated to the end: for all runners, or with `entrant_id` for one.

    `from_user` is the user it goes on with, and begins anew for.
    """

    race_id: str
    entrant_id: str
    from_user: str
    at: datetime


class AlertStore(Protocol):
    """What alerts need of the store. Nothing here writes to a table that alert-evaluator listens to."""

    async def alert_configs(self, subject: AlertSubject, after: ConfigCursor | None, limit: int) -> ConfigPage:
        """Return a page of the configurations that may concern the runners: theirs, the race's, and those for all.

        Enabled ones, and percentage ranges that are switched off: their user has them, and is not given the default
        in their place. One read.
        """
        ...

    async def win_ticks(self, race_id: str, entrant_ids: Sequence[str]) -> dict[str, list[OddsTick]]:
        """Return the win prices of runners, fixed and tote, oldest first. One read."""
        ...

    async def bucket_money(self, race_id: str) -> list[BucketMoney]:
        """Return the money-flow buckets of a race. One read."""
        ...

    async def alert_runners(self, race_id: str) -> list[EntrantUpdate]:
        """Return the runners of a race as their rows stand."""
        ...

    async def races_touched(self, since: datetime, starts_before: datetime) -> list[tuple[str, datetime]]:
        """Return the races that a poll changed, or of which a runner was written, at or after an instant.

        Those with an advertised start before `starts_before`; with the time of the last of it, oldest first. Runners
        written by others count for races that started within the two days before `since`.
        """
        ...

    async def save_alert_config(self, row: Mapping[str, object], at: datetime) -> None:
        """Insert or update one configuration, by the names of the catalogue and its `$id`; only its owner may see it.

        `at` becomes the time it was changed: what was crossed up to then is not told.
        """
        ...

    async def save_alert_channels(self, channels: AlertChannels, at: datetime) -> None:
        """Insert or update where else a user wants to be told."""
        ...

    async def save_notifications(self, told: Sequence[Notification], at: datetime, *, deliver: bool) -> list[str]:
        """Insert the notifications that are not there yet, all or none; return the ids of those that were not.

        Those that fall into the cool-down of what is stored about the same configuration and runner are left out
        (`held_apart`). With `deliver` the new ones wait for delivery. One that is there stays as it is.
        """
        ...

    async def notifications_of(self, user_id: str, limit: int) -> list[StoredNotification]:
        """Return a user's own newest notifications, newest first; rows that are not that user's are left out."""
        ...

    async def take_deliveries(self, at: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take notifications whose delivery is due; nobody else gets them before `until`. Each counts one attempt.

        Each says whether its row is its user's (`owned`).
        """
        ...

    async def alert_channels(self, user_ids: Sequence[str]) -> dict[str, AlertChannels]:
        """Return where else users want to be told, without users who do not and rows that are not their user's."""
        ...

    async def save_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Write what became of deliveries, all or none."""
        ...

    async def save_alert_backlog(self, backlog: AlertBacklog) -> None:
        """Note what is still to be evaluated; of two notes on the same runner the one that goes further back stays."""
        ...

    async def alert_backlog(self, limit: int) -> list[AlertBacklog]:
        """Return what is still to be evaluated, oldest first."""
        ...

    async def settle_alert_backlog(self, done: AlertBacklog, rest: AlertBacklog | None) -> None:
        """Put what remains of a note in its place, or remove it when nothing does, in one step.

        A note that was replaced meanwhile by one that goes further back stays.
        """
        ...
