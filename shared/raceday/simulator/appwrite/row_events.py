"""Row events: which write makes which, under which name, with which body (all seen on 1.9.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table

RowAction = Literal["create", "update", "upsert", "delete"]

MOST_OF_A_QUERY = 100
"""Rows of an update or deletion by query that are answered and raise events; the rest is written silently."""


@dataclass(frozen=True, slots=True)
class RowNotice:
    """One row event: where, what, the name that x-appwrite-event carries, and the body of the executions."""

    database_id: str
    table_id: str
    row_id: str
    action: RowAction
    header: str
    body: Mapping[str, object]


RowListener = Callable[[RowNotice], None]


def single(table: Table, row: Row, action: RowAction) -> RowNotice:
    """Return the event of a single write: a creation is named by the older generation, all others by the newer."""
    return _notice(table, row, action, row, is_older=action == "create")


def bulk(table: Table, rows: Sequence[Row], action: RowAction) -> list[RowNotice]:
    """Return the events of a bulk call, one for each row: the older names, and an internal key in the body."""
    return [_notice(table, row, action, {**row, "$collection": table.internal_name}, is_older=True) for row in rows]


def committed(table: Table, row: Row, action: RowAction) -> RowNotice:
    """Return the event of a single operation of a transaction: both kinds of table id, but no database id."""
    body = {key: value for key, value in row.items() if key != "$databaseId"}
    both = {"$tableId": table.table_id, "$collectionId": table.table_id, "$collection": table.internal_name}
    return _notice(table, row, action, body | both, is_older=False)


def _notice(table: Table, row: Row, action: RowAction, body: Mapping[str, object], *, is_older: bool) -> RowNotice:
    row_id = str(row["$id"])
    tables, rows = ("collections", "documents") if is_older else ("tables", "rows")
    header = f"databases.{table.database_id}.{tables}.{table.table_id}.{rows}.{row_id}.{action}"
    return RowNotice(table.database_id, table.table_id, row_id, action, header, body)
