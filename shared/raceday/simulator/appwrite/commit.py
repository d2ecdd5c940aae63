"""Committing a transaction: every operation in its order, all or none, and then the events of the single ones."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import row_events, row_lists, row_upserts, row_writes
from raceday.simulator.appwrite.collation import folded
from raceday.simulator.appwrite.errors import PlatformError
from raceday.simulator.appwrite.given_row import given_row
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.queries import listing_of
from raceday.simulator.appwrite.row_writes import Writing, own_values
from raceday.simulator.appwrite.staging import step_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from raceday.simulator.appwrite.given_row import GivenRow
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table
    from raceday.simulator.appwrite.transactions import Operation, Transaction

_EVENTS: Mapping[str, row_events.RowAction] = {
    "create": "create",
    "update": "update",
    "increment": "update",
    "decrement": "update",
    "upsert": "update",
    "delete": "delete",
}
"""The event of each single operation: an upsert's is an update here. Bulk operations have none at all."""


def commit(transaction: Transaction, new_id: Callable[[], str], now: datetime) -> list[row_events.RowNotice]:
    """Write everything that was staged and return the events; leaves the transaction failed when it cannot.

    Raises transaction_conflict when an id is taken or a row was written by others since it was staged, and the
    refusals of rows that do not fit.
    """
    applying = _Applying(new_id, now)
    operations = transaction.operations
    try:
        with ExitStack() as undoing:
            for table in {operation.table for operation in operations}:
                undoing.enter_context(table.rows.undoing())
            for operation in operations:
                applying.apply(operation)
    except PlatformError as error:
        transaction.end("failed", now)
        raise error.at_commit() from error
    transaction.end("committed", now)
    return [notice for operation in operations for notice in applying.events_of(operation)]


class _Applying:
    """Writes operation after operation and remembers which rows are the transaction's own by now."""

    def __init__(self, new_id: Callable[[], str], now: datetime) -> None:
        self._new_id = new_id
        self._now = now
        self._own: defaultdict[Table, set[str]] = defaultdict(set)
        self._deleted: dict[int, Row] = {}

    def apply(self, operation: Operation) -> None:
        """Write one operation; raises PlatformError."""
        if operation.action in {"bulkCreate", "bulkUpsert"}:
            self._write_rows(operation)
        elif operation.action in {"bulkUpdate", "bulkDelete"}:
            self._write_matching(operation)
        else:
            self._write_row(operation)

    def events_of(self, operation: Operation) -> list[row_events.RowNotice]:
        """Return the event of an operation that was committed: of the row as it is then, if it is there."""
        action = _EVENTS.get(operation.action)
        if action is None:
            return []
        row_id = operation.row_id or str(operation.values().get("$id", ""))
        row = self._deleted.get(id(operation)) or operation.table.rows.get(row_id)
        return [] if row is None else [row_events.committed(operation.table, row, action)]

    def _writing(self, operation: Operation) -> Writing:
        own = self._own[operation.table]
        return Writing(self._now, keeps_dates=False, not_after=stamp(operation.staged_at), own_rows=own)

    def _write_row(self, operation: Operation) -> None:
        table, row_id, writing = operation.table, str(operation.row_id), self._writing(operation)
        if operation.action == "create":
            given = self._given(operation.values(), operation.values().get("$id") or operation.row_id)
            self._note(table, row_writes.create(table, [given], writing))
        elif operation.action == "upsert":
            self._note(table, row_upserts.upsert(table, [self._upserted(operation)], writing))
        elif operation.action == "update":
            given = self._given(operation.values(), row_id)
            self._note(table, [row_writes.update(table, row_id, given, writing)])
        elif operation.action == "delete":
            self._deleted[id(operation)] = row_writes.delete(table, row_id, writing)
            self._own[table].discard(folded(row_id))
        else:
            step = step_of(operation.action, operation.values())
            self._note(table, [row_writes.count(table, row_id, step, writing)])

    def _write_rows(self, operation: Operation) -> None:
        table, writing = operation.table, self._writing(operation)
        if operation.action == "bulkCreate":
            given = [self._given(row, row.get("$id")) for row in operation.rows()]
            self._note(table, row_writes.create(table, given, writing))
        else:
            merged = [self._given(self._completed(table, row), row.get("$id")) for row in operation.rows()]
            self._note(table, row_upserts.upsert(table, merged, writing))

    def _write_matching(self, operation: Operation) -> None:
        table, writing, body = operation.table, self._writing(operation), operation.values()
        columns = table.ready_columns(self._now)
        listing = listing_of(body.get("queries"), columns, default_limit=len(table.rows))
        rows = row_lists.page(table, row_lists.matching(table, listing.filters, columns), listing, columns)
        if operation.action == "bulkDelete":
            row_writes.delete_matching(table, rows, writing)
            return
        changes = body.get("data")
        given = self._given(changes if isinstance(changes, dict) else {}, None)
        self._note(table, row_writes.update_matching(table, rows, given, writing))

    def _upserted(self, operation: Operation) -> GivenRow:
        """Return the row of an upsert: its id is that in the data, else a new one; `rowId` is not looked at.

        Only a row that the transaction wrote before is found by `rowId`.
        """
        values = operation.values()
        if operation.row_id is not None and folded(operation.row_id) in self._own[operation.table]:
            completed = self._completed(operation.table, {**values, "$id": operation.row_id})
            return self._given(completed, operation.row_id)
        return self._given(values, values.get("$id"))

    def _completed(self, table: Table, row: Mapping[str, object]) -> Mapping[str, object]:
        """Return a row with the rest of its values if the transaction wrote it before."""
        row_id = str(row.get("$id", ""))
        stored = table.rows.get(row_id)
        if stored is None or folded(row_id) not in self._own[table]:
            return row
        return {**own_values(table, stored), **row}

    def _given(self, values: Mapping[str, object], row_id: object) -> GivenRow:
        return given_row({**values, "$id": row_id}, self._new_id)

    def _note(self, table: Table, rows: list[Row]) -> None:
        self._own[table].update(folded(str(row["$id"])) for row in rows)
