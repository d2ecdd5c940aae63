"""Alert configurations by page, on Appwrite: one call a page, in the platform's own order of names.

That order is not Python's, and to the platform `ann` and `Ann` are one name whose rows come mixed. So a page ends where
a name does, or within a name that fills it alone, and the rows of each exact user are put together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from raceday.store.alert_ports import AlertSubject, ConfigCursor, ConfigPage
from raceday.store.appwrite.name_order import by_name, one_name
from raceday.store.appwrite.queries import (
    Query,
    above,
    all_of,
    ascending,
    at_least,
    either,
    equal,
    is_empty,
)
from raceday.store.appwrite.rows import PAGE_ROWS, AppwriteRows
from raceday.store.rows.alerts import CONFIG_COLUMNS, config_row, read_configs
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import StoredRow, instant_text
from raceday.store.tables import USER_ALERT_CONFIGS

CONFIGS_A_CALL = PAGE_ROWS - 1
"""A page holds no more than this, whatever was asked for: one more is read to see whether there are more."""
_COLUMNS = tuple(name for name in CONFIG_COLUMNS if not name.startswith("$"))


class AppwriteAlertConfigs:
    """What users want to be told."""

    _rows: AppwriteRows

    async def alert_configs(self, subject: AlertSubject, after: ConfigCursor | None, limit: int) -> ConfigPage:
        """Return a page of the configurations that may concern the runners, at most 80 of them.

        One call. The first page alone tells of the default user, with a call or two more when it is not the last.
        """
        most, default_user = min(limit, CONFIGS_A_CALL), subject.default_user
        if after is not None or not default_user:
            return _page(await self._read(subject, after, most), most, subject, has_rows=False)
        rows = await self._read(subject, None, most, also_of=default_user)
        has_rows = _has_any(default_user, rows)
        if len(rows) > most:
            has_rows = has_rows or _has_any(default_user, await self._all_of(default_user))
            if not _end_of_whole_names(rows):
                # What the default user has for other races may have crowded everything else out.
                rows = await self._read(subject, None, most)
        return _page(rows, most, subject, has_rows=has_rows)

    async def save_alert_config(self, row: Mapping[str, object], at: datetime) -> None:
        """Insert or update one configuration. One call."""
        await self._rows.upsert(USER_ALERT_CONFIGS, [{**config_row(row), "$updatedAt": instant_text(at)}])

    async def _read(
        self, subject: AlertSubject, after: ConfigCursor | None, most: int, *, also_of: str = ""
    ) -> list[StoredRow]:
        """Return a page's rows and one more, in the platform's order; `also_of`: and all that this user has."""
        queries = [*_concerning(subject, also_of), *_behind(after), ascending("userId"), ascending("$id")]
        return await self._rows.find(USER_ALERT_CONFIGS, *queries, columns=_COLUMNS, at_most=most + 1)

    async def _all_of(self, user_id: str) -> list[StoredRow]:
        """Return whose all the rows of a user are."""
        return await self._rows.find(USER_ALERT_CONFIGS, equal("userId", user_id), columns=("userId",))


def _concerning(subject: AlertSubject, also_of: str) -> list[Query]:
    """Return the queries for what may concern a subject; what a configuration is bound to may be missing or empty."""
    also = [equal("userId", also_of)] if also_of else []
    of_runners = [equal("entrantId", *subject.entrant_ids)] if subject.entrant_ids else []
    # Each way to be bound to no runner has its own range of the index.
    of_race = [
        all_of(unbound, race)
        for unbound in (is_empty("entrantId"), equal("entrantId", ""))
        for race in (equal("raceId", subject.race_id, ""), is_empty("raceId"))
    ]
    # A range that is switched off is read too: its user has it.
    told = (equal("enabled", True), is_empty("alertType"), equal("alertType", ""))
    return [either(*of_runners, *of_race, *also), either(*told, *also)]


def _behind(after: ConfigCursor | None) -> list[Query]:
    """Return the query for what comes behind a cursor, which need not be there any more."""
    if after is None:
        return []
    if after.config_id is None:
        return [above("userId", after.user_id)]
    if not after.config_id:
        return [at_least("userId", after.user_id)]
    further = all_of(equal("userId", after.user_id), above("$id", after.config_id))
    return [either(above("userId", after.user_id), further)]


def _page(read: Sequence[StoredRow], most: int, subject: AlertSubject, *, has_rows: bool) -> ConfigPage:
    """Return the page that was read: at most `most` rows, and one more when there are more."""
    is_last = len(read) <= most
    end = len(read) if is_last else _end_of_whole_names(read) or most
    rows = by_name(_exactly(read[:end], subject), _user_of)
    configs, broken = read_configs(tuple(row.get(name) for name in CONFIG_COLUMNS) for row in rows)
    first_user = _user_of(rows[0]) if rows else None
    after: ConfigCursor | None = None
    if not is_last:
        first_user = first_user or _user_of(read[0])
        cut = one_name(first_user) == one_name(_user_of(read[end]))
        # Within a name the cursor bears the user whom the page begins with: to the platform all its spellings are
        # the same, and whoever reads on sees that this one fills a page.
        after = ConfigCursor(first_user, str(read[end - 1]["$id"])) if cut else ConfigCursor(_user_of(read[end]))
    return ConfigPage(tuple(configs), tuple(broken), after, first_user, default_user_has_rows=has_rows)


def _end_of_whole_names(read: Sequence[StoredRow]) -> int:
    """Return where the last name begins, of which there may be more; 0 when there is no other."""
    last = one_name(_user_of(read[-1]))
    end = len(read)
    while end and one_name(_user_of(read[end - 1])) == last:
        end -= 1
    return end


def _exactly(rows: Sequence[StoredRow], subject: AlertSubject) -> list[StoredRow]:
    """Return the rows that concern a subject by their exact texts."""
    runners = frozenset(subject.entrant_ids)

    def concerns(row: StoredRow) -> bool:
        entrant_id, race_id = row["entrantId"] or "", row["raceId"] or ""
        if entrant_id not in runners and (entrant_id or race_id not in {"", subject.race_id}):
            return False
        return bool(row["enabled"]) or not row["alertType"]

    return [row for row in rows if concerns(row)]


def _has_any(user_id: str, rows: Sequence[StoredRow]) -> bool:
    return any(_user_of(row) == user_id and belongs_to(user_id, row["$permissions"]) for row in rows)


def _user_of(row: StoredRow) -> str:
    return str(row["userId"])
