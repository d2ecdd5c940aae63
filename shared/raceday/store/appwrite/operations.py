"""What a transaction can hold, as the platform takes it; a transaction holds at most 100 of them.

A bulk of up to 100 rows counts as one and raises no events; `create`, `update` and `delete` raise one each at the
commit. There is no single upsert here: in a transaction its `rowId` is not looked at (seen on 1.9.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import orjson

from raceday.store.appwrite.queries import Query
from raceday.store.rows.values import Row
from raceday.store.tables import Table

ROWS_AT_ONCE = 100
OPERATIONS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `content` is a row, a list of rows, or what a bulk by queries takes."""

    action: str
    table: Table
    row_id: str | None
    content: object

    def body(self, database_id: str) -> dict[str, object]:
        """Return the operation as it is sent."""
        body: dict[str, object] = {"action": self.action, "databaseId": database_id, "tableId": self.table.name}
        if self.row_id is not None:
            body["rowId"] = self.row_id
        if self.content is not None:
            body["data"] = self.content
        return body


def create(table: Table, row: Mapping[str, object]) -> Operation:
    """Make a row; the commit fails when its id is taken. Raises an event."""
    return Operation("create", table, str(row["$id"]), sendable(row))


def update(table: Table, row: Mapping[str, object]) -> Operation:
    """Change the columns given of a row that exists; the commit fails when somebody wrote it since. Raises an event."""
    content = sendable(row)
    content.pop("$id")
    return Operation("update", table, str(row["$id"]), content)


def delete(table: Table, row_id: str) -> Operation:
    """Delete a row that exists; the commit fails when somebody wrote it since. Raises an event."""
    return Operation("delete", table, row_id, None)


def bulk_upsert(table: Table, rows: Iterable[Mapping[str, object]]) -> list[Operation]:
    """Insert or update rows by id, silently: an operation for every 100. Every required column has to be given.

    Two rows of one id become one, of which the later values hold: the platform refuses an id that comes twice.
    """
    merged: dict[str, Row] = {}
    for row in rows:
        merged.setdefault(str(row["$id"]), {}).update(sendable(row))
    whole = list(merged.values())
    return [
        Operation("bulkUpsert", table, None, whole[begin : begin + ROWS_AT_ONCE])
        for begin in range(0, len(whole), ROWS_AT_ONCE)
    ]


def bulk_create(table: Table, rows: Sequence[Mapping[str, object]]) -> list[Operation]:
    """Make rows, silently: an operation for every 100. The commit fails when one of their ids is taken."""
    return [
        Operation("bulkCreate", table, None, [sendable(row) for row in rows[begin : begin + ROWS_AT_ONCE]])
        for begin in range(0, len(rows), ROWS_AT_ONCE)
    ]


def merged(operations: Iterable[Operation]) -> list[Operation]:
    """Put the bulk upserts of each table together, before everything else, as the operations of one transaction."""
    bulks: dict[Table, list[Row]] = {}
    others: list[Operation] = []
    for operation in operations:
        if operation.action == "bulkUpsert":
            bulks.setdefault(operation.table, []).extend(cast("list[Row]", operation.content))
        else:
            others.append(operation)
    return [bulk for table, rows in bulks.items() for bulk in bulk_upsert(table, rows)] + others


def bulk_update(table: Table, columns: Mapping[str, object], queries: Sequence[Query]) -> Operation:
    """Change columns of every row that the queries match, silently. Without queries it would be all rows."""
    if not queries:
        raise ValueError(f"an update of {table.name} without queries would change every row")
    return Operation("bulkUpdate", table, None, {"data": sendable(columns), "queries": list(queries)})


def bulk_delete(table: Table, queries: Sequence[Query]) -> Operation:
    """Delete every row that the queries match, silently. Without queries it would be all rows."""
    if not queries:
        raise ValueError(f"a delete in {table.name} without queries would delete every row")
    return Operation("bulkDelete", table, None, {"queries": list(queries)})


def sendable(row: Mapping[str, object]) -> Row:
    """Return a row as the platform takes it: permissions are a list, not a text."""
    sent = dict(row)
    permissions = sent.get("$permissions")
    if isinstance(permissions, str):
        sent["$permissions"] = orjson.loads(permissions)
    return sent
