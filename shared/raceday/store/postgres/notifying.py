"""Notifications in PostgreSQL: each told once, to its owner alone, and delivered by one sender at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.domain.alerts.notification import Notification, StoredNotification, ToldBefore, held_apart
from raceday.store.postgres.database import PostgresDatabase, Statements
from raceday.store.postgres.names import json_rows, selected
from raceday.store.rows.alerts import channels_of, notification_row, stored_notification
from raceday.store.rows.deliveries import delivery, delivery_row
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import instant_text, parse_instant
from raceday.store.tables import NOTIFICATIONS, USER_ALERT_CHANNELS

# Whoever tells of a race waits for the other who does, and sees then what was told. In one order, so that none waits
# for one that waits for it.
_HOLD_RACES = """
    SELECT pg_advisory_xact_lock(lock) FROM (
        SELECT DISTINCT hashtextextended('raceday.notifications ' || race_id, 0) AS lock
        FROM unnest(%s::text[]) AS told (race_id) ORDER BY lock
    ) AS in_order
"""
_TOLD_BEFORE = """
    SELECT config_id, entrant_id, crossed_at FROM notifications
    WHERE race_id = ANY(%s) AND entrant_id = ANY(%s) AND config_id IS NOT NULL AND crossed_at IS NOT NULL
"""
# What another sender is taking at this moment is left to it.
_TAKE = f"""
    WITH due AS (
        SELECT id, next_delivery_at AS due_at FROM notifications
        WHERE delivery_state = 'pending' AND next_delivery_at <= %s
        ORDER BY next_delivery_at LIMIT %s FOR UPDATE SKIP LOCKED
    ),
    taken AS (
        UPDATE notifications
        SET delivery_attempts = coalesce(delivery_attempts, 0) + 1, next_delivery_at = %s, updated_at = %s
        FROM due WHERE notifications.id = due.id
        RETURNING due.due_at, {selected(NOTIFICATIONS)}
    )
    SELECT * FROM taken ORDER BY due_at
"""  # noqa: S608


class PostgresNotifications:
    """What was told and is to be delivered; see `AlertStore` for what each operation promises."""

    _db: PostgresDatabase

    async def save_notifications(self, told: Sequence[Notification], at: datetime, *, deliver: bool) -> list[str]:
        """Insert the notifications that are new and that no cool-down keeps back, all or none; return their ids."""
        by_id = {notification.notification_id: notification for notification in told}
        if not by_id:
            return []
        async with self._db.transaction() as tx:
            await tx.execute(_HOLD_RACES, ([notification.runner.race_id for notification in told],))
            stored = await tx.tuples("SELECT id FROM notifications WHERE id = ANY(%s)", (list(by_id),))
            missing = [by_id[row_id] for row_id in by_id.keys() - {row_id for (row_id,) in stored}]
            missing = held_apart(missing, await _told_before(tx, missing))
            rows = json_rows(NOTIFICATIONS, [notification_row(each, at, deliver=deliver) for each in missing])
            await tx.execute("SELECT upsert_notifications(%s::jsonb, %s)", (rows, instant_text(at)))
        return [notification.notification_id for notification in missing]

    async def notifications_of(self, user_id: str, limit: int) -> list[StoredNotification]:
        """Return a user's own newest notifications, newest first."""
        rows = await self._db.rows(
            f"SELECT {selected(NOTIFICATIONS)} FROM notifications WHERE user_id = %s "  # noqa: S608
            'ORDER BY crossed_at DESC NULLS LAST, id COLLATE "C" LIMIT %s',
            (user_id, limit),
        )
        return [stored_notification(row) for row in rows if belongs_to(user_id, row["$permissions"])]

    async def take_deliveries(self, at: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take notifications whose delivery is due; nobody else gets them before `until`."""
        now = instant_text(at)
        return [delivery(row) for row in await self._db.rows(_TAKE, (now, limit, instant_text(until), now))]

    async def alert_channels(self, user_ids: Sequence[str]) -> dict[str, AlertChannels]:
        """Return where else users want to be told; users who do not are left out."""
        rows = await self._db.rows(
            f"SELECT {selected(USER_ALERT_CHANNELS)} FROM user_alert_channels "  # noqa: S608
            'WHERE user_id = ANY(%s) AND enabled ORDER BY id COLLATE "C"',
            (list(user_ids),),
        )
        return {row["userId"]: channels_of(row) for row in rows if belongs_to(row["userId"], row["$permissions"])}

    async def save_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Write what became of deliveries, all or none."""
        rows = json_rows(NOTIFICATIONS, map(delivery_row, deliveries))
        await self._db.execute(
            "SELECT upsert_notifications(%s::jsonb, %s, may_insert => false)", (rows, instant_text(at))
        )


async def _told_before(tx: Statements, new: Sequence[Notification]) -> list[ToldBefore]:
    """Return what was told about the runners of some notifications."""
    races = {told.runner.race_id for told in new}
    runners = {told.runner.entrant_id for told in new}
    rows = await tx.tuples(_TOLD_BEFORE, (list(races), list(runners)))
    return [ToldBefore(config_id, entrant_id, parse_instant(at)) for config_id, entrant_id, at in rows]
