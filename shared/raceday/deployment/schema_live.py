"""What a platform has of the schema: read table by table, as the server's JSON.

The SDK's own models are no help here: they take a string for an enumeration and round bounds of 64 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from raceday.deployment.platform_schema import PlatformColumn, PlatformIndex, PlatformSchema
from raceday.deployment.sdk import Platform, PlatformRefused

BEING_MADE = "processing"
MADE = "available"


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column with its status (`processing`, `available`, `deleting`, `stuck`, `failed`) and what went wrong."""

    column: PlatformColumn
    status: str = MADE
    error: str = ""


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """An index with its status and what went wrong."""

    index: PlatformIndex
    status: str = MADE
    error: str = ""


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table as it stands; `bytes_max` is 0 where no limit applies."""

    table_id: str
    permissions: tuple[str, ...]
    row_security: bool
    enabled: bool
    columns: Mapping[str, LiveColumn]
    indexes: Mapping[str, LiveIndex]
    bytes_used: int = 0
    bytes_max: int = 0

    @property
    def being_made(self) -> bool:
        """Whether a column or an index is not there yet."""
        columns = any(column.status == BEING_MADE for column in self.columns.values())
        return columns or any(index.status == BEING_MADE for index in self.indexes.values())


@dataclass(frozen=True, slots=True)
class LiveSchema:
    """What is there of the database, the tables and the buckets that were asked for; a bucket is the server's JSON."""

    has_database: bool
    tables: Mapping[str, LiveTable] = field(default_factory=dict)
    buckets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_schema(platform: Platform, schema: PlatformSchema) -> LiveSchema:
    """Read what there is of a schema; raises what the connection raises."""
    has_database = _read(platform, f"/tablesdb/{schema.database_id}") is not None
    tables = {}
    for table in schema.tables if has_database else ():
        found = read_table(platform, schema.database_id, table.table_id)
        if found is not None:
            tables[table.table_id] = found
    buckets = {bucket.bucket_id: _read(platform, f"/storage/buckets/{bucket.bucket_id}") for bucket in schema.buckets}
    return LiveSchema(has_database, tables, {name: found for name, found in buckets.items() if found is not None})


def read_table(platform: Platform, database_id: str, table_id: str) -> LiveTable | None:
    """Read one table with all its columns and indexes; None when there is none."""
    told = _read(platform, f"/tablesdb/{database_id}/tables/{table_id}")
    return None if told is None else live_table(told)


def live_table(told: Mapping[str, Any]) -> LiveTable:
    """Return a table from the server's JSON."""
    columns = [LiveColumn(_column(column), column["status"], column["error"]) for column in told["columns"]]
    indexes = [LiveIndex(_index(index), index["status"], index["error"]) for index in told["indexes"]]
    return LiveTable(
        told["$id"],
        tuple(told["$permissions"]),
        told["rowSecurity"],
        told["enabled"],
        {column.column.key: column for column in columns},
        {index.index.key: index for index in indexes},
        int(told.get("bytesUsed", 0)),
        int(told.get("bytesMax", 0)),
    )


def _column(told: Mapping[str, Any]) -> PlatformColumn:
    """Return a column; a string with a format (`email`, `enum`) goes by its format, as the console calls it."""
    return PlatformColumn(
        key=told["key"],
        type=told.get("format") or told["type"],
        required=told["required"],
        array=bool(told.get("array")),
        default=told.get("default"),
        size=told.get("size"),
        encrypt=told.get("encrypt"),
        lowest=told.get("min"),
        highest=told.get("max"),
    )


def _index(told: Mapping[str, Any]) -> PlatformIndex:
    return PlatformIndex(told["key"], told["type"], tuple(told["columns"]), tuple(told.get("orders") or ()))


def _read(platform: Platform, path: str) -> Mapping[str, Any] | None:
    """Return a resource as the server shows it, or None when it does not exist."""
    client = platform.client
    try:
        told: Mapping[str, Any] = client.call("get", path, {"x-appwrite-project": client.get_config("project")})
    except PlatformRefused as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return told
