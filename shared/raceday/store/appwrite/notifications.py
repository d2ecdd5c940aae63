"""What users are told, on Appwrite.

Dashboards hear of a new row over the platform's realtime channels, and a bulk inside a transaction is heard by nobody.
So notifications are made one by one in their transaction, as far as it has room. No function listens to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from raceday.domain.alerts.notification import Notification, StoredNotification, ToldBefore, held_apart
from raceday.store.appwrite.conflicts import begun_again
from raceday.store.appwrite.operations import (
    OPERATIONS_AT_ONCE,
    ROWS_AT_ONCE,
    Operation,
    bulk_create,
    create,
)
from raceday.store.appwrite.queries import VALUES_AT_ONCE, ascending, behind, descending, equal
from raceday.store.appwrite.rows import PAGE_ROWS, AppwriteRows
from raceday.store.rows.alerts import notification_row, stored_notification
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import Row, StoredRow, parse_instant
from raceday.store.tables import NOTIFICATIONS

TOLD_AT_ONCE = 2000
"""Notifications in one transaction: some 2 MB of the 12 that a request may have."""


class AppwriteNotifications:
    """Notifications, once and for their owner alone."""

    _rows: AppwriteRows

    async def save_notifications(self, told: Sequence[Notification], at: datetime, *, deliver: bool) -> list[str]:
        """Insert the notifications that are new and that no cool-down keeps back; return their ids.

        All or none of up to 2,000; more are written so many at a time. One call when there is nothing new, else four.
        A run that tells the same at the same time makes the commit fail, and what is still missing is looked for
        again; its cool-downs hold against what was stored when this looked.
        """
        by_id = {notification.notification_id: notification for notification in told}
        saved: list[str] = []

        async def attempt() -> None:
            stored = await self._told_about(told)
            there = {str(row["$id"]) for row in stored}
            missing = [notification for row_id, notification in by_id.items() if row_id not in there]
            new = held_apart(missing, _told_before(stored))
            for begin in range(0, len(new), TOLD_AT_ONCE):
                some = new[begin : begin + TOLD_AT_ONCE]
                rows = [notification_row(notification, at, deliver=deliver) for notification in some]
                await self._rows.commit(creations(rows))
                saved.extend(notification.notification_id for notification in some)

        if by_id:
            await begun_again(attempt)
        return saved

    async def notifications_of(self, user_id: str, limit: int) -> list[StoredNotification]:
        """Return a user's own newest notifications, newest first. One call, unless another's name is spelt alike."""
        page = min(limit, PAGE_ROWS)
        newest = (equal("userId", user_id), descending("crossedAt"), ascending("$id"))
        rows = await self._rows.find(NOTIFICATIONS, *newest, at_most=page)
        mine = _of_user(rows, user_id)
        while len(mine) < limit and len(rows) == page > 0:
            rows = await self._rows.find(NOTIFICATIONS, *newest, behind(str(rows[-1]["$id"])), at_most=page)
            mine += _of_user(rows, user_id)
        return mine[:limit]

    async def _told_about(self, told: Sequence[Notification]) -> list[StoredRow]:
        """Return what is stored about the runners of some notifications, and their configurations as far as few."""
        runners: dict[str, set[str]] = defaultdict(set)
        for notification in told:
            runners[notification.runner.race_id].add(notification.runner.entrant_id)
        configs = sorted({notification.config.config_id for notification in told})
        of_configs = [equal("configId", *configs)] if len(configs) <= VALUES_AT_ONCE else []
        rows: list[StoredRow] = []
        for race_id, entrant_ids in runners.items():
            rows += await self._rows.of_ids(
                NOTIFICATIONS,
                "entrantId",
                sorted(entrant_ids),
                equal("raceId", race_id),
                *of_configs,
                columns=("configId", "entrantId", "crossedAt"),
            )
        return rows


def creations(rows: Sequence[Row]) -> list[Operation]:
    """Return what makes new notifications in one transaction: one by one the newest, the oldest of very many in bulk.

    The rows come in the order of time. The commit fails when one of the ids is taken.
    """
    bulks = -(-max(0, len(rows) - OPERATIONS_AT_ONCE) // (ROWS_AT_ONCE - 1))
    single = OPERATIONS_AT_ONCE - bulks
    return bulk_create(NOTIFICATIONS, rows[:-single]) + [create(NOTIFICATIONS, row) for row in rows[-single:]]


def _told_before(rows: Sequence[StoredRow]) -> list[ToldBefore]:
    return [
        ToldBefore(row["configId"], row["entrantId"], parse_instant(row["crossedAt"]))
        for row in rows
        if row["configId"] and row["crossedAt"]
    ]


def _of_user(rows: Sequence[StoredRow], user_id: str) -> list[StoredNotification]:
    return [
        stored_notification(row)
        for row in rows
        if row["userId"] == user_id and belongs_to(user_id, row["$permissions"])
    ]
