"""Notifications on their way out, as columns of `notifications`."""

from __future__ import annotations

from raceday.domain.alerts.delivery import Channel, Delivery, DeliveryState
from raceday.store.rows.alerts import stored_notification
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import Row, StoredRow, fitted, optional_instant_text
from raceday.store.tables import NOTIFICATIONS

CHANNEL_COLUMNS = {Channel.WEBHOOK: "webhookState", Channel.PUSH: "pushState"}


def delivery(row: StoredRow) -> Delivery:
    """Return a row of `notifications` as a delivery."""
    states = {channel: row[column] for channel, column in CHANNEL_COLUMNS.items()}
    return Delivery(
        stored_notification(row),
        owned=belongs_to(row["userId"], row["$permissions"]),
        attempts=row["deliveryAttempts"] or 1,
        settled={channel: DeliveryState(state) for channel, state in states.items() if state},
        reason=row["deliveryMessage"] or "",
    )


def delivery_row(tried: Delivery) -> Row:
    """Return what became of a delivery."""
    settled = tried.settled or {}
    row: Row = {
        "$id": tried.notification.notification_id,
        "deliveryState": tried.state.value,
        "deliveryAttempts": tried.attempts,
        "nextDeliveryAt": optional_instant_text(tried.next_at),
        "deliveryMessage": tried.reason or None,
    }
    row |= {column: settled.get(channel) for channel, column in CHANNEL_COLUMNS.items()}
    return fitted(NOTIFICATIONS, row)
