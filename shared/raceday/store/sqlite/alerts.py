"""Alerts in SQLite: configurations by page, a race's past, notifications and what is still to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from raceday.domain.alerts.delivery import AlertChannels, Delivery
from raceday.domain.alerts.money import BucketMoney
from raceday.domain.alerts.notification import Notification, StoredNotification, ToldBefore, held_apart
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import OddsTick
from raceday.store.alert_ports import AlertBacklog, AlertSubject, ConfigCursor, ConfigPage
from raceday.store.rows.alert_history import (
    MONEY_COLUMNS,
    TICK_COLUMNS,
    TOUCHED_STARTS,
    WIN_KINDS,
    bucket_money,
    ticks_by_runner,
)
from raceday.store.rows.alerts import (
    CONFIG_COLUMNS,
    backlog_id,
    backlog_of,
    backlog_row,
    channels_of,
    channels_row,
    config_row,
    notification_row,
    read_configs,
    stored_notification,
)
from raceday.store.rows.deliveries import delivery, delivery_row
from raceday.store.rows.flow import RUNNER_COLUMNS, stored_runners
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import instant_text, parse_instant
from raceday.store.sqlite.connection import SqliteConnection, placeholders
from raceday.store.tables import ALERT_BACKLOG, NOTIFICATIONS, USER_ALERT_CHANNELS, USER_ALERT_CONFIGS

_IDS_AT_ONCE = 500
_TICK_NAMES = ", ".join(f'"{column}"' for column in TICK_COLUMNS)
_MONEY_NAMES = ", ".join(f'"{column}"' for column in MONEY_COLUMNS)
_CONFIG_NAMES = ", ".join(f'"{column}"' for column in CONFIG_COLUMNS)
# A range that is switched off is read too: its user has it.
_WANTED = '("enabled" OR coalesce("alertType", \'\') = \'\') AND ("userId", "$id") > (?, ?)'
_BEHIND_EVERY_ID = b""
"""To SQLite every blob is greater than every text."""
_OF_RUNNERS = f'SELECT {_CONFIG_NAMES} FROM user_alert_configs WHERE "entrantId" IN ({{}}) AND {_WANTED}'  # noqa: S608
_OF_SUBJECT = f'SELECT {_CONFIG_NAMES} FROM user_alert_configs WHERE "raceId" IS ? AND "entrantId" IS ? AND {_WANTED}'  # noqa: S608
_RUNNER_NAMES = ", ".join(f'"{column}"' for column in RUNNER_COLUMNS)
_RUNNERS = f'SELECT {_RUNNER_NAMES} FROM entrants WHERE "raceId" = ?'  # noqa: S608
_POLLED = (
    'SELECT race_polls."raceId", "polledAt" FROM race_polls CROSS JOIN races ON races."$id" = race_polls."raceId" '
    'WHERE "polledAt" >= ? AND changed AND races."startTime" < ?'
)
_WRITTEN = (
    'SELECT races."$id", entrants."$updatedAt" FROM races CROSS JOIN entrants ON entrants."raceId" = races."$id" '
    'WHERE races."startTime" >= ? AND races."startTime" < ? AND entrants."$updatedAt" >= ?'
)


class SqliteAlerts:
    """What alerts need of the store; see `AlertStore` for what each operation promises."""

    _db: SqliteConnection

    async def alert_configs(self, subject: AlertSubject, after: ConfigCursor | None, limit: int) -> ConfigPage:
        """Return a page of the configurations that may concern the runners."""
        cursor = after or ConfigCursor()
        behind = (cursor.user_id, _BEHIND_EVERY_ID if cursor.config_id is None else cursor.config_id)
        parameters: list[object] = [*subject.entrant_ids, *behind]
        # What a configuration is bound to may be missing or empty; each way has its own range of the index.
        bound_to = [(race_id, none) for race_id in (subject.race_id, None, "") for none in (None, "")]
        for race_id, entrant in bound_to:
            parameters += (race_id, entrant, *behind)
        of_runners = _OF_RUNNERS.format(placeholders(subject.entrant_ids))
        union = " UNION ALL ".join([of_runners] + [_OF_SUBJECT] * len(bound_to))
        with self._db.reading():
            rows = self._db.tuples(f'{union} ORDER BY "userId", "$id" LIMIT ?', (*parameters, limit + 1))
            has_rows = bool(subject.default_user) and _has_rows(self._db, subject.default_user)
        return _page(rows, limit, has_rows=has_rows)

    async def win_ticks(self, race_id: str, entrant_ids: Sequence[str]) -> dict[str, list[OddsTick]]:
        """Return the win prices of runners, fixed and tote, oldest first."""
        rows = self._db.read(
            f"SELECT {_TICK_NAMES} FROM odds_history "  # noqa: S608
            f'WHERE "raceId" = ? AND "entrantId" IN ({placeholders(entrant_ids)}) AND type IN (?, ?) '
            'ORDER BY "entrantId", "eventTimestamp"',
            (race_id, *entrant_ids, *WIN_KINDS),
        )
        return ticks_by_runner(race_id, rows)

    async def bucket_money(self, race_id: str) -> list[BucketMoney]:
        """Return the money-flow buckets of a race."""
        rows = self._db.read(
            f'SELECT {_MONEY_NAMES} FROM money_flow_history WHERE "raceId" = ? AND type = ?',  # noqa: S608
            (race_id, BUCKET_TYPE),
        )
        return bucket_money(rows)

    async def alert_runners(self, race_id: str) -> list[EntrantUpdate]:
        """Return the runners of a race as their rows stand."""
        with self._db.reading():
            rows = self._db.rows(_RUNNERS, (race_id,))
        return stored_runners(rows)

    async def races_touched(self, since: datetime, starts_before: datetime) -> list[tuple[str, datetime]]:
        """Return the races with something new, or a runner written, at or after an instant, with the last time."""
        text, before = instant_text(since), instant_text(starts_before)
        oldest = instant_text(since - TOUCHED_STARTS)
        touched: dict[str, str] = {}
        with self._db.reading():
            written = self._db.tuples(_WRITTEN, (oldest, before, text))
            for race_id, at in self._db.tuples(_POLLED, (text, before)) + written:
                touched[race_id] = max(at, touched.get(race_id, ""))
        return [(race_id, parse_instant(at)) for race_id, at in sorted(touched.items(), key=lambda race: race[::-1])]

    async def save_alert_config(self, row: Mapping[str, object], at: datetime) -> None:
        """Insert or update one configuration."""
        with self._db.writing():
            self._db.upsert(USER_ALERT_CONFIGS, [config_row(row)], instant_text(at))

    async def save_alert_channels(self, channels: AlertChannels, at: datetime) -> None:
        """Insert or update where else a user wants to be told."""
        with self._db.writing():
            self._db.upsert(USER_ALERT_CHANNELS, [channels_row(channels)], instant_text(at))

    async def save_notifications(self, told: Sequence[Notification], at: datetime, *, deliver: bool) -> list[str]:
        """Insert the notifications that are new and that no cool-down keeps back, all or none; return their ids."""
        by_id = {notification.notification_id: notification for notification in told}
        with self._db.writing():
            missing = [by_id[row_id] for row_id in _missing(self._db, list(by_id))]
            missing = held_apart(missing, _told_before(self._db, missing))
            rows = [notification_row(notification, at, deliver=deliver) for notification in missing]
            self._db.insert_missing(NOTIFICATIONS, rows, instant_text(at))
        return [notification.notification_id for notification in missing]

    async def notifications_of(self, user_id: str, limit: int) -> list[StoredNotification]:
        """Return a user's own newest notifications, newest first."""
        with self._db.reading():
            rows = self._db.rows(
                'SELECT * FROM notifications WHERE "userId" = ? ORDER BY "crossedAt" DESC, "$id" LIMIT ?',
                (user_id, limit),
            )
        return [stored_notification(row) for row in rows if belongs_to(user_id, row["$permissions"])]

    async def take_deliveries(self, at: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take notifications whose delivery is due; nobody else gets them before `until`."""
        with self._db.writing():
            rows = self._db.rows(
                'SELECT * FROM notifications WHERE "deliveryState" = \'pending\' AND "nextDeliveryAt" <= ? '
                'ORDER BY "nextDeliveryAt" LIMIT ?',
                (instant_text(at), limit),
            )
            self._db.write_many(
                'UPDATE notifications SET "deliveryAttempts" = coalesce("deliveryAttempts", 0) + 1, '
                '"nextDeliveryAt" = ? WHERE "$id" = ?',
                [(instant_text(until), row["$id"]) for row in rows],
            )
        return [delivery({**row, "deliveryAttempts": (row["deliveryAttempts"] or 0) + 1}) for row in rows]

    async def alert_channels(self, user_ids: Sequence[str]) -> dict[str, AlertChannels]:
        """Return where else users want to be told; users who do not are left out."""
        with self._db.reading():
            rows = self._db.rows(
                f'SELECT * FROM user_alert_channels WHERE "userId" IN ({placeholders(user_ids)}) '  # noqa: S608
                'AND enabled ORDER BY "$id"',
                user_ids,
            )
        return {row["userId"]: channels_of(row) for row in rows if belongs_to(row["userId"], row["$permissions"])}

    async def save_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Write what became of deliveries, all or none."""
        with self._db.writing():
            for tried in deliveries:
                self._db.update(NOTIFICATIONS, delivery_row(tried), instant_text(at))

    async def save_alert_backlog(self, backlog: AlertBacklog) -> None:
        """Note what is still to be evaluated; of two notes on the same runner the one that goes further back stays."""
        with self._db.writing():
            _note_backlog(self._db, backlog)

    async def alert_backlog(self, limit: int) -> list[AlertBacklog]:
        """Return what is still to be evaluated, oldest first."""
        with self._db.reading():
            rows = self._db.rows(
                'SELECT * FROM alert_backlog WHERE "occurredAt" >= \'\' ORDER BY "occurredAt" LIMIT ?', (limit,)
            )
        return [backlog_of(row) for row in rows]

    async def settle_alert_backlog(self, done: AlertBacklog, rest: AlertBacklog | None) -> None:
        """Put what remains of a note in its place, or remove it when nothing does."""
        with self._db.writing():
            self._db.write(
                'DELETE FROM alert_backlog WHERE "$id" = ? AND "fromUserId" = ?', (backlog_id(done), done.from_user)
            )
            if rest is not None:
                _note_backlog(self._db, rest)


def _note_backlog(db: SqliteConnection, backlog: AlertBacklog) -> None:
    stored = db.row('SELECT * FROM alert_backlog WHERE "$id" = ?', (backlog_id(backlog),))
    if stored is None or backlog.from_user < backlog_of(stored).from_user:
        db.upsert(ALERT_BACKLOG, [backlog_row(backlog)], instant_text(backlog.at))


def _has_rows(db: SqliteConnection, user_id: str) -> bool:
    rows = db.tuples('SELECT DISTINCT "$permissions" FROM user_alert_configs WHERE "userId" = ?', (user_id,))
    return any(belongs_to(user_id, permissions) for (permissions,) in rows)


def _page(rows: Sequence[tuple[object, ...]], limit: int, *, has_rows: bool) -> ConfigPage:
    """Return a page of the rows that were read: at most `limit`, and one more when there are more."""
    configs, broken = read_configs(rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    after = None if last is None else ConfigCursor(str(last[1]), str(last[0]))
    first_user = str(rows[0][1]) if rows else None
    return ConfigPage(tuple(configs), tuple(broken), after, first_user, default_user_has_rows=has_rows)


def _told_before(db: SqliteConnection, new: Sequence[Notification]) -> list[ToldBefore]:
    """Return what was told about the runners of some notifications."""
    runners = sorted({(told.runner.race_id, told.runner.entrant_id) for told in new})
    return [
        ToldBefore(config_id, entrant_id, parse_instant(at))
        for race_id, entrant_id in runners
        for config_id, at in db.tuples(
            'SELECT "configId", "crossedAt" FROM notifications WHERE "raceId" = ? AND "entrantId" = ? '
            'AND "configId" IS NOT NULL AND "crossedAt" IS NOT NULL',
            (race_id, entrant_id),
        )
    ]


def _missing(db: SqliteConnection, row_ids: Sequence[str]) -> list[str]:
    """Return which notifications are not stored."""
    stored: set[str] = set()
    for begin in range(0, len(row_ids), _IDS_AT_ONCE):
        some = row_ids[begin : begin + _IDS_AT_ONCE]
        found = db.tuples(f'SELECT "$id" FROM notifications WHERE "$id" IN ({placeholders(some)})', some)  # noqa: S608
        stored.update(row_id for (row_id,) in found)
    return [row_id for row_id in row_ids if row_id not in stored]
