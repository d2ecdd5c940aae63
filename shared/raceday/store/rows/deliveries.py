"""Notifications on their way out, as columns of `notifications`."""

from __future__ import annotations

from raceday.domain.alerts.delivery import Channel, Delivery, DeliveryState
from raceday.store.rows.values import Row, StoredRow, fitted, optional_instant_text, parse_instant
from raceday.store.tables import NOTIFICATIONS

CHANNEL_COLUMNS = {Channel.WEBHOOK: "webhookState", Channel.PUSH: "pushState"}


def delivery(row: StoredRow) -> Delivery:
    """Return a row of `notifications` as a delivery."""
    states = {channel: row[column] for channel, column in CHANNEL_COLUMNS.items()}
    return Delivery(
        notification_id=row["$id"],
        user_id=row["userId"],
        title=row["title"],
        message=row["message"],
        kind=row["type"],
        race_id=row["raceId"] or "",
        entrant_id=row["entrantId"] or "",
        config_id=row["configId"] or "",
        crossed_at=parse_instant(row["crossedAt"] or row["$createdAt"]),
        change=row["change"],
        value_before=row["valueBefore"],
        value_after=row["valueAfter"],
        bucket=row["timeInterval"],
        colour=row["color"] or "",
        attempts=row["deliveryAttempts"] or 1,
        settled={channel: DeliveryState(state) for channel, state in states.items() if state},
        reason=row["deliveryMessage"] or "",
    )


def delivery_row(tried: Delivery) -> Row:
    """Return what became of a delivery."""
    settled = tried.settled or {}
    row: Row = {
        "$id": tried.notification_id,
        "deliveryState": tried.state.value,
        "nextDeliveryAt": optional_instant_text(tried.next_at),
        "deliveryMessage": tried.reason or None,
    }
    row |= {column: settled.get(channel) for channel, column in CHANNEL_COLUMNS.items()}
    return fitted(NOTIFICATIONS, row)
