"""Alerts that a run could not evaluate to the end, on Appwrite: one row for each runner or race."""

from __future__ import annotations

from dataclasses import replace

from raceday.errors import StoreConflict
from raceday.store.alert_ports import AlertBacklog
from raceday.store.appwrite.conflicts import begun_again
from raceday.store.appwrite.name_order import further_back
from raceday.store.appwrite.operations import bulk_delete
from raceday.store.appwrite.queries import ascending, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.alerts import backlog_id, backlog_of, backlog_row
from raceday.store.rows.values import StoredRow
from raceday.store.tables import ALERT_BACKLOG


class AppwriteAlertBacklog:
    """What is still to be evaluated. Of two notes on a runner the one that goes further back stays.

    Users come in the platform's order, so which of two goes further back is not always known here. Then the note
    begins with the first user again: what is told twice is stored once.
    """

    _rows: AppwriteRows

    async def save_alert_backlog(self, backlog: AlertBacklog) -> None:
        """Note what is still to be evaluated. One call for a new note, three when there is one."""

        async def attempt() -> None:
            if not await self._rows.create(ALERT_BACKLOG, backlog_row(backlog)):
                await self._put_back(await self._there(backlog), backlog)

        await begun_again(attempt)

    async def alert_backlog(self, limit: int) -> list[AlertBacklog]:
        """Return what is still to be evaluated, oldest first. One call."""
        rows = await self._rows.find(ALERT_BACKLOG, ascending("occurredAt"), ascending("$updatedAt"), at_most=limit)
        return [backlog_of(row) for row in rows]

    async def settle_alert_backlog(self, done: AlertBacklog, rest: AlertBacklog | None) -> None:
        """Put what remains of a note in its place with two calls, or remove it with three when nothing does."""
        if rest is None:
            # Only as it was evaluated: a note that went further back meanwhile does not match.
            as_it_was = [equal("$id", backlog_id(done)), equal("fromUserId", done.from_user)]
            await begun_again(lambda: self._remove(as_it_was))
        else:
            await begun_again(lambda: self._replace(done, rest))

    async def _remove(self, as_it_was: list[str]) -> None:
        await self._rows.commit([bulk_delete(ALERT_BACKLOG, as_it_was)])

    async def _replace(self, done: AlertBacklog, rest: AlertBacklog) -> None:
        stored = await self._rows.get(ALERT_BACKLOG, backlog_id(done))
        if stored is None:
            if not await self._rows.create(ALERT_BACKLOG, backlog_row(rest)):
                raise _changed(rest)
        elif backlog_of(stored).from_user == done.from_user:
            await self._put(stored, rest)
        else:
            await self._put_back(stored, rest)

    async def _there(self, backlog: AlertBacklog) -> StoredRow:
        stored = await self._rows.get(ALERT_BACKLOG, backlog_id(backlog))
        if stored is None:
            raise _changed(backlog)
        return stored

    async def _put_back(self, stored: StoredRow, backlog: AlertBacklog) -> None:
        """Let a note begin earlier, if it does not begin early enough."""
        begins = backlog_of(stored).from_user
        from_user = further_back(begins, backlog.from_user)
        if from_user != begins:
            await self._put(stored, replace(backlog, from_user=from_user))

    async def _put(self, stored: StoredRow, backlog: AlertBacklog) -> None:
        columns = backlog_row(backlog)
        row_id = str(columns.pop("$id"))
        written = await self._rows.update(ALERT_BACKLOG, row_id, columns, unchanged_since=stored["$updatedAt"])
        if written is None:
            raise _changed(backlog)


def _changed(backlog: AlertBacklog) -> StoreConflict:
    return StoreConflict(f"the note on the alerts of race {backlog.race_id} was changed by somebody else")
