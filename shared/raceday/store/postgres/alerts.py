"""Alerts in PostgreSQL: configurations by page, a race's past, notifications and what is still to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from raceday.domain.alerts.delivery import AlertChannels
from raceday.domain.alerts.money import BucketMoney
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import OddsTick
from raceday.store.alert_ports import AlertBacklog, AlertSubject, ConfigCursor, ConfigPage
from raceday.store.postgres.names import json_rows, selected
from raceday.store.postgres.notifying import PostgresNotifications
from raceday.store.postgres.reading import FLOW_OF_RACE, ODDS_OF_RACE, thrice
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
    channels_row,
    config_row,
    read_configs,
)
from raceday.store.rows.flow import RUNNER_COLUMNS, stored_runners
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import instant_text, parse_instant
from raceday.store.tables import (
    ALERT_BACKLOG,
    ENTRANTS,
    MONEY_FLOW_HISTORY,
    ODDS_HISTORY,
    USER_ALERT_CHANNELS,
    USER_ALERT_CONFIGS,
)

_CONFIGS = selected(USER_ALERT_CONFIGS, CONFIG_COLUMNS)
# A range that is switched off is read too: its user has it.
_WANTED = """(enabled OR coalesce(alert_type, '') = '') AND (user_id COLLATE "C", id COLLATE "C") > (%s, %s)"""
_BEHIND_EVERY_ID = "\U0010ffff"
# What a configuration is bound to may be missing or empty; each way has its own range of the index.
_OF_RUNNERS = f"SELECT {_CONFIGS} FROM user_alert_configs WHERE entrant_id = ANY(%s) AND {_WANTED}"  # noqa: S608
_OF_RACE, _OF_ALL = (
    [
        f"SELECT {_CONFIGS} FROM user_alert_configs WHERE race_id {race} AND entrant_id {entrant} AND {_WANTED}"  # noqa: S608
        for race in races
        for entrant in ("IS NULL", "= ''")
    ]
    for races in (("= %s",), ("IS NULL", "= ''"))
)
_IN_ORDER = 'ORDER BY "userId" COLLATE "C", "$id" COLLATE "C"'
_PAGE = f"SELECT * FROM ({' UNION ALL '.join([_OF_RUNNERS, *_OF_RACE, *_OF_ALL])}) AS wanted {_IN_ORDER} LIMIT %s"  # noqa: S608
# The page, then of the default user one row for each way in which its rows are owned.
_PAGE_AND_DEFAULT_USER = f"""
    SELECT * FROM (
        (SELECT false AS of_default_user, page.* FROM ({_PAGE}) AS page)
        UNION ALL
        (SELECT DISTINCT ON (permissions) true, {_CONFIGS} FROM user_alert_configs WHERE user_id = %s)
    ) AS both_of_them ORDER BY of_default_user, "userId" COLLATE "C", "$id" COLLATE "C"
"""  # noqa: S608
# The newest write of each race by itself: joined, all runners of all days may be read for it.
_TOUCHED = """
    SELECT race_id, max(at) FROM (
        SELECT race_polls.race_id, polled_at AS at FROM race_polls JOIN races USING (race_id)
        WHERE polled_at >= %s AND changed AND races.start_time < %s
        UNION ALL
        SELECT races.race_id, newest.at FROM races CROSS JOIN LATERAL (
            SELECT max(updated_at) AS at FROM entrants WHERE entrants.race_id = races.race_id
        ) AS newest
        WHERE races.start_time >= %s AND races.start_time < %s AND newest.at >= %s
    ) AS touched GROUP BY race_id ORDER BY 2, race_id COLLATE "C"
"""
_NOTE_BACKLOG = """
    INSERT INTO alert_backlog AS kept (id, race_id, entrant_id, occurred_at, from_user_id, created_at, updated_at)
    SELECT id, race_id, entrant_id, occurred_at, from_user_id, occurred_at, occurred_at
    FROM jsonb_populate_recordset(NULL::alert_backlog, %s::jsonb)
    ON CONFLICT (id) DO UPDATE SET (occurred_at, from_user_id, updated_at) =
        (excluded.occurred_at, excluded.from_user_id, excluded.updated_at)
    WHERE excluded.from_user_id COLLATE "C" < coalesce(kept.from_user_id, '')
"""


class PostgresAlerts(PostgresNotifications):
    """What alerts need of the store; see `AlertStore` for what each operation promises."""

    async def alert_configs(self, subject: AlertSubject, after: ConfigCursor | None, limit: int) -> ConfigPage:
        """Return a page of the configurations that may concern the runners."""
        cursor = after or ConfigCursor()
        behind = (cursor.user_id, _BEHIND_EVERY_ID if cursor.config_id is None else cursor.config_id)
        of_runners = (list(subject.entrant_ids), *behind)
        of_race = (subject.race_id, *behind) * len(_OF_RACE)
        of_all = behind * len(_OF_ALL)
        rows = await self._db.tuples(
            _PAGE_AND_DEFAULT_USER, (*of_runners, *of_race, *of_all, limit + 1, subject.default_user)
        )
        page = [row[1:] for row in rows if not row[0]]
        # An empty name is nobody's.
        owned = [row[-1] for row in rows if row[0] and subject.default_user]
        has_rows = any(belongs_to(subject.default_user, permissions) for permissions in owned)
        return _page(page, limit, has_rows=has_rows)

    async def win_ticks(self, race_id: str, entrant_ids: Sequence[str]) -> dict[str, list[OddsTick]]:
        """Return the win prices of runners, fixed and tote, oldest first."""
        rows = await self._db.tuples(
            f"SELECT {selected(ODDS_HISTORY, TICK_COLUMNS)} FROM odds_history "  # noqa: S608
            f"WHERE {ODDS_OF_RACE} AND entrant_id = ANY(%s) AND type = ANY(%s) ORDER BY event_timestamp",
            (*thrice(race_id), list(entrant_ids), list(WIN_KINDS)),
        )
        return ticks_by_runner(race_id, rows)

    async def bucket_money(self, race_id: str) -> list[BucketMoney]:
        """Return the money-flow buckets of a race."""
        rows = await self._db.tuples(
            f"SELECT {selected(MONEY_FLOW_HISTORY, MONEY_COLUMNS)} FROM money_flow_history "  # noqa: S608
            f"WHERE {FLOW_OF_RACE} AND type = %s",
            (*thrice(race_id), BUCKET_TYPE),
        )
        return bucket_money(rows)

    async def alert_runners(self, race_id: str) -> list[EntrantUpdate]:
        """Return the runners of a race as their rows stand."""
        rows = await self._db.rows(
            f"SELECT {selected(ENTRANTS, RUNNER_COLUMNS)} FROM entrants WHERE race_id = %s",  # noqa: S608
            (race_id,),
        )
        return stored_runners(rows)

    async def races_touched(self, since: datetime, starts_before: datetime) -> list[tuple[str, datetime]]:
        """Return the races with something new, or a runner written, at or after an instant, with the last time."""
        text, before = instant_text(since), instant_text(starts_before)
        oldest = instant_text(since - TOUCHED_STARTS)
        rows = await self._db.tuples(_TOUCHED, (text, before, oldest, before, text))
        return [(race_id, parse_instant(at)) for race_id, at in rows]

    async def save_alert_config(self, row: Mapping[str, object], at: datetime) -> None:
        """Insert or update one configuration."""
        rows = json_rows(USER_ALERT_CONFIGS, [config_row(row)])
        await self._db.execute("SELECT upsert_user_alert_configs(%s::jsonb, %s)", (rows, instant_text(at)))

    async def save_alert_channels(self, channels: AlertChannels, at: datetime) -> None:
        """Insert or update where else a user wants to be told."""
        rows = json_rows(USER_ALERT_CHANNELS, [channels_row(channels)])
        await self._db.execute("SELECT upsert_user_alert_channels(%s::jsonb, %s)", (rows, instant_text(at)))

    async def save_alert_backlog(self, backlog: AlertBacklog) -> None:
        """Note what is still to be evaluated; of two notes on the same runner the one that goes further back stays."""
        await self._db.execute(_NOTE_BACKLOG, (json_rows(ALERT_BACKLOG, [backlog_row(backlog)]),))

    async def alert_backlog(self, limit: int) -> list[AlertBacklog]:
        """Return what is still to be evaluated, oldest first."""
        rows = await self._db.rows(
            f"SELECT {selected(ALERT_BACKLOG)} FROM alert_backlog ORDER BY occurred_at LIMIT %s",  # noqa: S608
            (limit,),
        )
        return [backlog_of(row) for row in rows]

    async def settle_alert_backlog(self, done: AlertBacklog, rest: AlertBacklog | None) -> None:
        """Put what remains of a note in its place, or remove it when nothing does."""
        async with self._db.transaction() as tx:
            await tx.execute(
                "DELETE FROM alert_backlog WHERE id = %s AND from_user_id = %s", (backlog_id(done), done.from_user)
            )
            if rest is not None:
                await tx.execute(_NOTE_BACKLOG, (json_rows(ALERT_BACKLOG, [backlog_row(rest)]),))


def _page(rows: Sequence[tuple[object, ...]], limit: int, *, has_rows: bool) -> ConfigPage:
    """Return a page of the rows that were read: at most `limit`, and one more when there are more."""
    configs, broken = read_configs(rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    after = None if last is None else ConfigCursor(str(last[1]), str(last[0]))
    first_user = str(rows[0][1]) if rows else None
    return ConfigPage(tuple(configs), tuple(broken), after, first_user, default_user_has_rows=has_rows)
