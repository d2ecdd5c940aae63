"""The rows of a partition as Arrow batches in the order of their key, and the hash that says they are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
from psycopg import sql

from raceday.errors import ConfigError
from raceday.server.operations.connections import Connection
from raceday.server.operations.partition_names import PartitionName

BATCH_ROWS = 10_000
"""Rows in memory at once, and rows of a row group."""
ARROW_TYPES = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}
_COLUMNS = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_cursor_numbers = count(1)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column and its type in PostgreSQL's words."""

    name: str
    type: str


def columns_of_table(connection: Connection, schema: str, table: str) -> tuple[ColumnType, ...]:
    """Return a table's columns in their order; raises `ConfigError` for a type that archives do not know."""
    named = sql.Identifier(schema, table).as_string(connection)
    columns = tuple(ColumnType(*row) for row in connection.execute(_COLUMNS, (named,)).fetchall())
    unknown = [f"{column.name} ({column.type})" for column in columns if column.type not in ARROW_TYPES]
    if unknown:
        raise ConfigError(f"{table} has columns of a type that archives do not know: {', '.join(unknown)}")
    return columns


def arrow_schema(columns: tuple[ColumnType, ...]) -> pa.Schema:
    """Return the columns as Arrow has them: instants to the microsecond in UTC, the rest as it is."""
    return pa.schema([(column.name, ARROW_TYPES[column.type]) for column in columns])


def table_batches(
    connection: Connection, table: sql.Composable, name: PartitionName, columns: tuple[ColumnType, ...]
) -> Iterator[pa.RecordBatch]:
    """Read a table in the order of its key, some thousand rows at a time; wants a transaction under way.

    `table` is anything that may stand after FROM. Raises `ConfigError` for an instant that no calendar has.
    """
    schema = arrow_schema(columns)
    query = sql.SQL('SELECT {} FROM {} ORDER BY id COLLATE "C", {}').format(
        sql.SQL(", ").join(sql.Identifier(column.name) for column in columns), table, sql.Identifier(name.event_column)
    )
    with connection.cursor(f"rows_{next(_cursor_numbers)}") as cursor:
        cursor.itersize = BATCH_ROWS
        cursor.execute(query)
        try:
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield pa.record_batch([pa.array(values, type_) for values, type_ in _by_column(rows, schema)], schema)
        except psycopg.DataError as cause:
            raise ConfigError(f"{name} holds a value that cannot be archived: {cause}") from cause


def _by_column(rows: list[tuple[object, ...]], schema: pa.Schema) -> Iterator[tuple[tuple[object, ...], pa.DataType]]:
    return zip(zip(*rows, strict=True), schema.types, strict=True)


class RowsDigest:
    """Counts rows and hashes them: SHA-256 over one JSON list a line and row, instants in microseconds of 1970."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        columns = [
            (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
            for column in batch.columns
        ]
        self._hash.update("".join(f"{_encode(row)}\n" for row in zip(*columns, strict=True)).encode())
        self.rows += batch.num_rows

    @property
    def sha256(self) -> str:
        """The hash of all rows so far, in hexadecimal digits."""
        return self._hash.hexdigest()


def digest_of(batches: Iterator[pa.RecordBatch]) -> RowsDigest:
    """Return count and hash of rows."""
    digest = RowsDigest()
    for batch in batches:
        digest.add(batch)
    return digest
