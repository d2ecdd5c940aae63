"""What set-up has to do: the catalogue held against what is there.

Only what adds or drops nothing is a step. What would drop or narrow something is a difference: it is told with what to
do, and left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from raceday.deployment.findings import Finding
from raceday.deployment.limits import column_bytes, misfits
from raceday.deployment.platform_schema import (
    PlatformColumn,
    PlatformIndex,
    PlatformSchema,
    PlatformTable,
    bucket_entry,
)
from raceday.deployment.schema_columns import Change, changes, refuses_writes, remedy, widened
from raceday.deployment.schema_live import BEING_MADE, MADE, LiveSchema, LiveTable
from raceday.deployment.schema_steps import (
    IN_ORDER,
    CreateBucket,
    CreateColumn,
    CreateDatabase,
    CreateIndex,
    CreateTable,
    SchemaPlan,
    Step,
    UpdateBucket,
    UpdateColumn,
    UpdateTable,
)
from raceday.store.tables.buckets import Bucket

CHECKED_OF_A_BUCKET = ("$permissions", "fileSecurity", "enabled", "maximumFileSize", "allowedFileExtensions")
"""What set-up puts right of a bucket."""
KEPT_OF_A_BUCKET = ("compression", "encryption", "antivirus", "transformations", "stripMetadata")
"""How its files are treated is the operator's to choose; an update that does not say it would reset it."""


def plan_schema(schema: PlatformSchema, live: LiveSchema) -> SchemaPlan:
    """Return what it takes to make a platform's schema complete."""
    found: list[Step | Finding] = []
    if not live.has_database:
        found.append(CreateDatabase(schema.database_id))
    for table in schema.tables:
        standing = live.tables.get(table.table_id)
        found += _new_table(table) if standing is None else _table(table, standing)
    for bucket in schema.buckets:
        found += _bucket(bucket, live.buckets.get(bucket.bucket_id))
    steps = [one for one in found if not isinstance(one, Finding)]
    return SchemaPlan(
        tuple(sorted(steps, key=lambda step: IN_ORDER.index(type(step)))),
        tuple(one for one in found if isinstance(one, Finding)),
        tuple(table_id for table_id, table in live.tables.items() if table.being_made),
    )


def _new_table(table: PlatformTable) -> list[Step | Finding]:
    broken = misfits(table)
    if broken:
        return [
            Finding(f"table {table.table_id}", fault, "change the catalogue", refuses_writes=True) for fault in broken
        ]
    columns = [CreateColumn(table.table_id, column) for column in table.columns]
    return [CreateTable(table), *columns, *(CreateIndex(table.table_id, index) for index in table.indexes)]


def _table(table: PlatformTable, standing: LiveTable) -> list[Step | Finding]:
    """Compare a table that is there."""
    columns = [one for column in table.columns for one in _column(table.table_id, column, standing)]
    if crowded := _crowded(table, standing, columns):
        columns = [*(one for one in columns if isinstance(one, Finding)), crowded]
    coming = {one.column.key for one in columns if isinstance(one, CreateColumn)}
    return [
        *_access(table, standing),
        *columns,
        *(one for index in table.indexes for one in _index(table.table_id, index, standing, coming)),
        *_strangers(table, standing),
    ]


def _access(table: PlatformTable, standing: LiveTable) -> Iterator[Step | Finding]:
    why = [
        f"{name} {_shown(is_now)}, should be {_shown(should_be)}"
        for name, is_now, should_be in (
            ("permissions", sorted(standing.permissions), sorted(table.permissions)),
            ("row security", standing.row_security, table.row_security),
        )
        if is_now != should_be
    ]
    if why:
        yield UpdateTable(table, standing.enabled, "; ".join(why))
    if not standing.enabled:
        yield Finding(f"table {table.table_id}", "disabled: clients see nothing of it", "enable it in the console")


def _column(table_id: str, column: PlatformColumn, standing: LiveTable) -> Iterator[Step | Finding]:
    found = standing.columns.get(column.key)
    where = f"column {table_id}.{column.key}"
    if found is None:
        yield CreateColumn(table_id, column)
        return
    if found.status not in {MADE, BEING_MADE}:
        yield replace(_not_made(where, found.status, found.error), refuses_writes=True)
        return
    becomes = widened(column, found.column)
    left = changes(column, becomes)
    if done := [change for change in changes(column, found.column) if change not in left]:
        yield UpdateColumn(table_id, becomes, _why(done))
    if left:
        yield Finding(where, _why(left), remedy(column, becomes), refuses_writes=refuses_writes(column, becomes))


def _why(changed: list[Change]) -> str:
    return "; ".join(f"{name} {_shown(is_now)}, should be {_shown(should_be)}" for name, is_now, should_be in changed)


def _crowded(table: PlatformTable, standing: LiveTable, found: list[Step | Finding]) -> Finding | None:
    """Return the difference of a table that has no room for what is to come."""
    coming = sum(column_bytes(one.column) for one in found if isinstance(one, CreateColumn))
    widened = [one.column for one in found if isinstance(one, UpdateColumn)]
    coming += sum(column_bytes(column) - column_bytes(standing.columns[column.key].column) for column in widened)
    if not standing.bytes_max or standing.bytes_used + coming <= standing.bytes_max:
        return None
    return Finding(
        f"table {table.table_id}",
        f"its rows are {standing.bytes_used} bytes wide and would be {standing.bytes_used + coming}; at most "
        f"{standing.bytes_max} is possible",
        "delete columns that are not RaceDay's in the console, run scripts/setup again",
        refuses_writes=True,
    )


def _index(table_id: str, index: PlatformIndex, standing: LiveTable, coming: set[str]) -> Iterator[Step | Finding]:
    found = standing.indexes.get(index.key)
    where = f"index {table_id}.{index.key}"
    if found is None:
        there = coming | {key for key, column in standing.columns.items() if column.status in {MADE, BEING_MADE}}
        missing = [key for key in index.columns if key not in there]
        if missing:
            yield Finding(where, f"waits for {', '.join(missing)}", "mend the columns first")
        else:
            yield CreateIndex(table_id, index)
    elif found.status not in {MADE, BEING_MADE}:
        yield _not_made(where, found.status, found.error)
    elif _kind(found.index) != _kind(index):
        yield Finding(
            where,
            f"{_kind(found.index)}, should be {_kind(index)}",
            "delete the index in the console, run scripts/setup again: no row is lost, queries are slow meanwhile",
        )


def _kind(index: PlatformIndex) -> str:
    """Return in words what makes two indexes the same; ascending goes without saying."""
    descending = [key for key, order in zip(index.columns, index.orders, strict=False) if order.upper() == "DESC"]
    return f"{index.type} on {', '.join(index.columns)}" + (f", descending {', '.join(descending)}" * bool(descending))


def _not_made(where: str, status: str, error: str) -> Finding:
    if status == "deleting":
        return Finding(where, "is being deleted", "wait until it is gone, run scripts/setup again")
    reason = f": {error}" if error else ", without a reason"
    return Finding(where, f"{status}{reason}", "mend what it says, delete it in the console, run scripts/setup again")


def _strangers(table: PlatformTable, standing: LiveTable) -> Iterator[Finding]:
    """Find what is not ours and would refuse or mislead our writes; anything else that is not ours is left in peace."""
    ours = {column.key for column in table.columns}
    for key, found in standing.columns.items():
        if key not in ours and found.column.type == "relationship":
            yield Finding(
                f"column {table.table_id}.{key}",
                "a relationship that is not RaceDay's: the platform refuses bulk writes on a table that has one",
                "delete it in the console: no row goes with it, and the ids stand in columns of their own",
                refuses_writes=True,
            )
        elif key not in ours and found.column.required:
            yield Finding(
                f"column {table.table_id}.{key}",
                "not RaceDay's and required: every write without it is refused",
                "make it optional in the console, or delete it",
                refuses_writes=True,
            )
    known = {index.key for index in table.indexes}
    for key, index in standing.indexes.items():
        if key not in known and index.index.type == "unique":
            yield Finding(
                f"index {table.table_id}.{key}",
                "not RaceDay's and unique: an upsert of a row with the same values overwrites the other row",
                "delete the index in the console",
            )


def _bucket(bucket: Bucket, standing: Mapping[str, Any] | None) -> Iterator[Step]:
    if standing is None:
        yield CreateBucket(bucket)
        return
    should_be = bucket_entry(bucket)
    why = [
        f"{key} {_shown(standing.get(key))}, should be {_shown(should_be[key])}"
        for key in CHECKED_OF_A_BUCKET
        if standing.get(key) != should_be[key]
    ]
    if why:
        kept = {key: standing[key] for key in KEPT_OF_A_BUCKET if key in standing}
        yield UpdateBucket(bucket, kept, "; ".join(why))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
