"""What a transaction's own reads see: the stored rows with its staged operations laid over them.

Rows that a transaction creates are in its lists whatever the filters say, and a changed row is not filtered again: so
the platform does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import row_lists
from raceday.simulator.appwrite.errors import PlatformError
from raceday.simulator.appwrite.queries import listing_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.columns import Column
    from raceday.simulator.appwrite.queries import Listing, Query
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table
    from raceday.simulator.appwrite.transactions import Operation, Transaction


@dataclass(slots=True)
class Staged:
    """A row as a transaction has it: what it was first staged as, its values so far, and whether it still exists."""

    action: str
    row: dict[str, object] = field(default_factory=dict)
    exists: bool = True


def staged_row(call: Call, table: Table, row_id: str) -> Row | None:
    """Return a row as the call's transaction sees it."""
    stored = table.rows.get(row_id)
    transaction = call.project.transactions.get(str(call.query["transactionId"]))
    state = staged_state(transaction, table, call.at).get(row_id)
    if state is None:
        return stored
    if not state.exists:
        return None
    return _over(table, state, stored)


def staged_page(call: Call, table: Table, listing: Listing, columns: Mapping[str, Column]) -> tuple[int, list[Row]]:
    """Return the count and the rows of a listing as the call's transaction sees them."""
    found = row_lists.matching(table, listing.filters, columns)
    total = len(found)
    rows = {str(row["$id"]): row for row in row_lists.page(table, found, listing, columns)}
    transaction = call.project.transactions.get(str(call.query["transactionId"]))
    for row_id, state in staged_state(transaction, table, call.at).items():
        if not state.exists:
            total -= rows.pop(row_id, None) is not None
            continue
        row = _over(table, state, rows.get(row_id))
        if row is None:
            continue
        matches = _passes(row, listing.filters, columns)
        total += matches - (row_id in rows)
        rows[row_id] = row_lists.selected(row, listing.selection)
    return max(0, total), list(rows.values())


def staged_state(transaction: Transaction | None, table: Table, now: datetime) -> dict[str, Staged]:
    """Return what an open transaction has staged for a table, by row id; nothing for one that is over."""
    state: dict[str, Staged] = {}
    if transaction is None or transaction.status != "pending":
        return state
    for operation in transaction.operations:
        if operation.table is table:
            lay_over(state, operation, now)
    return state


def lay_over(state: dict[str, Staged], operation: Operation, now: datetime) -> None:
    """Add one operation to what a transaction has staged for its table."""
    action, body = operation.action, operation.values()
    row_id = str(operation.row_id or body.get("$id") or "")
    if action in {"create", "upsert"}:
        state[row_id] = Staged(action, {**body, "$id": row_id})
    elif action == "update":
        state.setdefault(row_id, Staged("update", {"$id": row_id})).row.update(_without_id(body))
    elif action == "delete":
        state[row_id] = Staged("delete", exists=False)
    elif action in {"increment", "decrement"}:
        _count(state, operation, row_id)
    elif action == "bulkCreate":
        state.update({str(row.get("$id", "")): Staged("create", dict(row)) for row in operation.rows()})
    elif action == "bulkUpsert":
        for row in operation.rows():
            _merge(state, str(row.get("$id", "")), row)
    else:
        _by_queries(state, operation, now)


def _merge(state: dict[str, Staged], row_id: str, row: dict[str, object]) -> None:
    if row_id not in state or not state[row_id].exists:
        state[row_id] = Staged("upsert")
    state[row_id].row.update(row)


def _count(state: dict[str, Staged], operation: Operation, row_id: str) -> None:
    body = operation.values()
    column, by = str(body.get("column") or body.get("attribute")), body.get("value", 1)
    staged = state.setdefault(row_id, Staged("update", {"$id": row_id}))
    stored = operation.table.rows.get(row_id) or {}
    before = staged.row.get(column, stored.get(column)) or 0
    if isinstance(before, int | float) and isinstance(by, int | float):
        staged.row[column] = before + by if operation.action == "increment" else before - by


def _by_queries(state: dict[str, Staged], operation: Operation, now: datetime) -> None:
    """Change or delete what the transaction itself has staged; stored rows are looked at by the commit only."""
    body = operation.values()
    columns = operation.table.ready_columns(now)
    try:
        filters = listing_of(body.get("queries"), columns).filters
    except PlatformError:
        return  # a query that cannot be read is not refused before the commit
    changes = body.get("data")
    for staged in state.values():
        if staged.exists and _passes(staged.row, filters, columns):
            if operation.action == "bulkDelete":
                staged.exists = False
            elif isinstance(changes, dict):
                staged.row.update(_without_id(changes))


def _passes(row: Row, filters: Sequence[Query], columns: Mapping[str, Column]) -> bool:
    """Return whether a staged row passes; its values are unchecked yet, and what cannot be compared does not."""
    try:
        return all(row_lists.test_of(query, columns)(row) for query in filters)
    except TypeError:
        return False


def _over(table: Table, state: Staged, stored: Row | None) -> Row | None:
    """Return the row that a read shows; an update of a row that a filter left out shows nothing."""
    places = {"$databaseId": table.database_id, "$tableId": table.table_id}
    if state.action == "create" or (state.action == "upsert" and stored is None):
        return {**state.row, **places, "$sequence": ""}
    return None if stored is None else {**stored, **_without_id(state.row)}


def _without_id(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != "$id"}
