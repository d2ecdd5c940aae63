"""Alert configurations, channels, notifications and backlog as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from raceday.domain.alerts.config import (
    DEFAULT_WINDOW_S,
    AlertConfig,
    AlertKind,
    BrokenAlertConfig,
    alert_kind,
    checked_range,
    checked_seconds,
    checked_threshold,
    colour_or_none,
    is_percentage_range,
)
from raceday.domain.alerts.delivery import AlertChannels, DeliveryState
from raceday.domain.alerts.notification import Notification, StoredNotification, message, title
from raceday.domain.ids import derived_id
from raceday.store.alert_ports import AlertBacklog
from raceday.store.rows.owners import OWN_CHANNELS, OWN_CONFIG, OWN_NOTIFICATION, belongs_to, owner_permissions
from raceday.store.rows.values import Row, StoredRow, fitted, instant_text, parse_instant, parse_optional_instant
from raceday.store.tables import ALERT_BACKLOG, NOTIFICATIONS, USER_ALERT_CHANNELS, USER_ALERT_CONFIGS

CONFIG_COLUMNS = (
    "$id",
    "userId",
    "alertType",
    "threshold",
    "timeWindowSeconds",
    "indicatorType",
    "percentageRangeMin",
    "percentageRangeMax",
    "displayOrder",
    "color",
    "entrantId",
    "raceId",
    "cooldownSeconds",
    "enabled",
    "$updatedAt",
    "$permissions",
)
CONFIGS_REMEMBERED = 4096
"""Two pages: the next event reads mostly the same rows, and reading is most of what it costs."""


@lru_cache(maxsize=CONFIGS_REMEMBERED)
def alert_config(values: tuple[object, ...]) -> AlertConfig:
    """Return the configuration of a row with `CONFIG_COLUMNS`; raises `BrokenAlertConfig` when it can mean none."""
    (
        config_id,
        user_id,
        alert_type,
        threshold,
        window_s,
        indicator,
        lowest,
        highest,
        display_order,
        colour,
        entrant_id,
        race_id,
        cooldown_s,
        enabled,
        updated_at,
        permissions,
    ) = values
    if not isinstance(user_id, str) or not user_id:
        raise BrokenAlertConfig("userId is missing: it is nobody's")
    if not belongs_to(user_id, permissions):
        raise BrokenAlertConfig("its permissions must name its userId, or nobody when that is no user of the platform")
    below: float | None = None
    if isinstance(alert_type, str) and alert_type:
        kind = alert_kind(alert_type)
        at_least = checked_threshold(kind, _number("threshold", threshold))
    elif isinstance(indicator, str) and is_percentage_range(indicator):
        kind = AlertKind.PERCENTAGE_RANGE
        at_least, below = checked_range(_number("percentageRangeMin", lowest), _number("percentageRangeMax", highest))
    else:
        raise BrokenAlertConfig("neither alertType nor indicatorType says what it is about")
    window = checked_seconds("timeWindowSeconds", _whole("timeWindowSeconds", window_s), 1)
    return AlertConfig(
        config_id=str(config_id),
        user_id=user_id,
        kind=kind,
        at_least=at_least,
        below=below,
        window_s=DEFAULT_WINDOW_S if window is None else window,
        entrant_id=_text(entrant_id),
        race_id=_text(race_id),
        cooldown_s=checked_seconds("cooldownSeconds", _whole("cooldownSeconds", cooldown_s), 0),
        colour=colour_or_none(_text(colour)),
        display_order=_whole("displayOrder", display_order),
        enabled=bool(enabled),
        changed_at=_instant("$updatedAt", updated_at),
    )


def read_configs(
    rows: Iterable[tuple[object, ...]],
) -> tuple[list[AlertConfig], list[tuple[str, str]]]:
    """Return what rows with `CONFIG_COLUMNS` mean, and the ids of those that can mean nothing, each with the reason."""
    configs: list[AlertConfig] = []
    broken: list[tuple[str, str]] = []
    for row in rows:
        try:
            configs.append(alert_config(row))
        except ValueError as error:
            broken.append((str(row[0]), str(error)))
    return configs, broken


def _text(value: object) -> str | None:
    """Return a text; an empty one says nothing, as None does."""
    return value if isinstance(value, str) and value else None


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BrokenAlertConfig(f"{name} is no number")
    return float(value)


def _whole(name: str, value: object) -> int | None:
    number = _number(name, value)
    if number is not None and not number.is_integer():
        raise BrokenAlertConfig(f"{name} is {number}, which is no whole number")
    return None if number is None else int(number)


def _instant(name: str, value: object) -> datetime | None:
    try:
        return parse_optional_instant(_text(value))
    except (ValueError, OverflowError):
        raise BrokenAlertConfig(f"{name} is no instant") from None


def config_row(row: Mapping[str, object]) -> Row:
    """Return a configuration as it is stored: for its owner alone."""
    owned = {"$permissions": owner_permissions(str(row.get("userId") or ""), OWN_CONFIG)}
    return fitted(USER_ALERT_CONFIGS, {"enabled": True, **row, **owned})


def notification_row(told: Notification, at: datetime, *, deliver: bool) -> Row:
    """Return a notification as a row that its owner alone may read; with `deliver` it waits for delivery."""
    config, crossing = told.config, told.crossing
    row: Row = {
        "$id": told.notification_id,
        "$permissions": owner_permissions(config.user_id, OWN_NOTIFICATION),
        "userId": config.user_id,
        "title": title(told),
        "message": message(told),
        "type": crossing.kind.value,
        "read": False,
        "raceId": told.runner.race_id,
        "entrantId": told.runner.entrant_id,
        "configId": config.config_id,
        "timeInterval": crossing.bucket,
        "crossedAt": instant_text(crossing.at),
        "valueBefore": crossing.before,
        "valueAfter": crossing.after,
        "change": crossing.amount,
        "color": told.colour,
        "deliveryState": DeliveryState.PENDING.value if deliver else None,
        "deliveryAttempts": 0 if deliver else None,
        "nextDeliveryAt": instant_text(at) if deliver else None,
    }
    return fitted(NOTIFICATIONS, row)


def stored_notification(row: StoredRow) -> StoredNotification:
    """Return a row of `notifications` as its owner reads it."""
    return StoredNotification(
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
        read=bool(row["read"]),
        delivery_state=row["deliveryState"] or "",
    )


def channels_row(channels: AlertChannels) -> Row:
    """Return where else a user wants to be told as a row, one for each user."""
    return fitted(
        USER_ALERT_CHANNELS,
        {
            "$id": derived_id("alert channels", channels.user_id),
            "$permissions": owner_permissions(channels.user_id, OWN_CHANNELS),
            "userId": channels.user_id,
            "webhookUrl": channels.webhook_url or None,
            "webhookSecret": channels.webhook_secret or None,
            "pushEnabled": channels.push,
            "enabled": True,
        },
    )


def channels_of(row: StoredRow) -> AlertChannels:
    """Return where else a user wants to be told, from a row of `user-alert-channels`."""
    return AlertChannels(
        row["userId"], row["webhookUrl"] or "", row["webhookSecret"] or "", push=bool(row["pushEnabled"])
    )


def backlog_row(backlog: AlertBacklog) -> Row:
    """Return what is still to be evaluated as a row: one for each runner, or for a whole race."""
    return fitted(
        ALERT_BACKLOG,
        {
            "$id": backlog_id(backlog),
            "raceId": backlog.race_id,
            "entrantId": backlog.entrant_id,
            "occurredAt": instant_text(backlog.at),
            "fromUserId": backlog.from_user,
        },
    )


def backlog_id(backlog: AlertBacklog) -> str:
    """Return the row id of what is still to be evaluated."""
    return derived_id("alert backlog", backlog.race_id, backlog.entrant_id)


def backlog_of(row: StoredRow) -> AlertBacklog:
    """Return what is still to be evaluated, from a row of `alert-backlog`."""
    return AlertBacklog(
        row["raceId"], row["entrantId"] or "", row["fromUserId"] or "", parse_instant(row["occurredAt"])
    )
