"""Doing what a plan of set-up says, through the server SDK, and waiting until the platform has made it.

Columns and indexes are made in the background: asked for first, then awaited. A step that the platform refuses is
noted and does not stop the others; what is missing afterwards is found by planning anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from appwrite.exception import AppwriteException  # type: ignore[import-untyped]

from raceday.deployment.platform_schema import PlatformColumn, PlatformSchema, bucket_entry
from raceday.deployment.schema_live import read_schema, read_table
from raceday.deployment.schema_plan import plan_schema
from raceday.deployment.schema_steps import (
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
from raceday.deployment.sdk import Platform, PlatformRefused
from raceday.store.tables.buckets import Bucket

LOOK_EVERY_S = 0.5
"""Half a second is what a column takes on an idle server."""
PATIENCE_S = 180.0
"""How long nothing may become available before waiting is given up."""
_KINDS = {"string": "string", "integer": "integer", "double": "float", "boolean": "boolean", "datetime": "datetime"}
"""A column's type, and what the SDK calls it in the names of its methods."""
_BUCKET_ARGUMENTS = {
    "$id": "bucket_id",
    "name": "name",
    "$permissions": "permissions",
    "fileSecurity": "file_security",
    "enabled": "enabled",
    "maximumFileSize": "maximum_file_size",
    "allowedFileExtensions": "allowed_file_extensions",
    "compression": "compression",
    "encryption": "encryption",
    "antivirus": "antivirus",
    "transformations": "transformations",
    "stripMetadata": "strip_metadata",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A step that the platform would not take, and why."""

    step: Step
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What set-up came to: the steps that were refused, and what is left to do afterwards."""

    refused: tuple[Refused, ...]
    left: SchemaPlan

    @property
    def is_complete(self) -> bool:
        """Whether the platform has all of the schema now."""
        return self.left.is_complete


def look(platform: Platform, schema: PlatformSchema) -> SchemaPlan:
    """Return what it takes to make the platform's schema complete; changes nothing."""
    return plan_schema(schema, read_schema(platform, schema))


def apply_plan(
    platform: Platform, schema: PlatformSchema, plan: SchemaPlan, on_step: Callable[[Step], None] = lambda _step: None
) -> Outcome:
    """Take the steps of a plan and return what is left.

    `on_step` hears of each step before it is taken. Raises what the connection raises when the platform is out of
    reach or lets the key in no further; the next run goes on where this one stopped.
    """
    first = [step for step in plan.steps if not isinstance(step, CreateIndex)]
    indexes = [step for step in plan.steps if isinstance(step, CreateIndex)]
    refused = _take(platform, schema.database_id, first, on_step)
    touched = {step.table_id for step in first if isinstance(step, CreateColumn | UpdateColumn)}
    wait_until_made(platform, schema.database_id, touched | set(plan.being_made))
    refused += _take(platform, schema.database_id, indexes, on_step)
    wait_until_made(platform, schema.database_id, {step.table_id for step in indexes})
    return Outcome(tuple(refused), look(platform, schema))


def wait_until_made(platform: Platform, database_id: str, table_ids: Iterable[str]) -> None:
    """Wait until nothing in these tables is being made any more, or nothing has moved for PATIENCE_S."""
    waiting = set(table_ids)
    patience_ends = monotonic() + PATIENCE_S
    seen: dict[str, object] = {}
    while waiting:
        for table_id in sorted(waiting):
            table = read_table(platform, database_id, table_id)
            if table is None or not table.being_made:
                waiting.discard(table_id)
            elif seen.get(table_id) != table:
                seen[table_id] = table
                patience_ends = monotonic() + PATIENCE_S
        if waiting:
            if monotonic() > patience_ends:
                return
            sleep(LOOK_EVERY_S)


def _take(
    platform: Platform, database_id: str, steps: Iterable[Step], on_step: Callable[[Step], None]
) -> list[Refused]:
    """Take steps one after the other and return those that were refused."""
    refused = []
    for step in steps:
        on_step(step)
        try:
            _take_one(platform, database_id, step)
        except (PlatformRefused, AppwriteException) as refusal:
            # The SDK's own error is of an answer that it does not understand: planning anew shows what came of it.
            refused.append(Refused(step, str(refusal)))
    return refused


def _take_one(platform: Platform, database_id: str, step: Step) -> None:
    tables = platform.tables
    match step:
        case CreateDatabase():
            tables.create(database_id, database_id)
        case CreateTable(table):
            tables.create_table(
                database_id, table.table_id, table.table_id, list(table.permissions), table.row_security
            )
        case UpdateTable(table, enabled):
            tables.update_table(
                database_id, table.table_id, table.table_id, list(table.permissions), table.row_security, enabled
            )
        case CreateColumn(table_id, column):
            _create_column(tables, database_id, table_id, column)
        case UpdateColumn(table_id, column):
            _update_column(tables, database_id, table_id, column)
        case CreateIndex(table_id, index):
            tables.create_index(database_id, table_id, index.key, index.type, list(index.columns), list(index.orders))
        case CreateBucket(bucket):
            platform.storage.create_bucket(**_bucket(bucket, {}))
        case UpdateBucket(bucket, kept):
            platform.storage.update_bucket(**_bucket(bucket, kept))


def _create_column(tables: Any, database_id: str, table_id: str, column: PlatformColumn) -> None:  # noqa: ANN401
    create = getattr(tables, f"create_{_KINDS[column.type]}_column")
    with warnings.catch_warnings(record=True):
        # The SDK warns of `string`, which newer servers would rather call `varchar`: the command line does not know it.
        create(
            database_id, table_id, column.key, required=column.required, default=column.default, array=False,
            **_own(column), **({"encrypt": False} if column.type == "string" else {}),
        )  # fmt: skip


def _update_column(tables: Any, database_id: str, table_id: str, column: PlatformColumn) -> None:  # noqa: ANN401
    update = getattr(tables, f"update_{_KINDS[column.type]}_column")
    with warnings.catch_warnings(record=True):
        update(database_id, table_id, column.key, required=column.required, default=column.default, **_own(column))


def _own(column: PlatformColumn) -> dict[str, object]:
    """Return what is said of columns of this type alone."""
    if column.type == "string":
        return {"size": column.size}
    return {} if column.lowest is None else {"min": column.lowest, "max": column.highest}


def _bucket(bucket: Bucket, kept: Mapping[str, object]) -> dict[str, object]:
    """Return the SDK's arguments for a bucket: as it should be, but for what is kept."""
    entry = {**bucket_entry(bucket), **kept}
    return {argument: entry[key] for key, argument in _BUCKET_ARGUMENTS.items() if key in entry}
