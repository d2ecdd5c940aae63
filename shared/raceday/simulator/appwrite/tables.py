"""Databases and tables: columns, indexes and rows, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.indexes import MOST_INDEXES
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.row_store import RowStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from raceday.simulator.appwrite.columns import Column
    from raceday.simulator.appwrite.indexes import Index

MOST_BYTES = 65_535
BASE_BYTES = 1_067
"""What a row takes before its first column."""
MOST_COLUMNS = 1_017


@dataclass(slots=True, eq=False)
class Table:
    """One table of a database; `sequence` is its own number there, `database_sequence` the database's."""

    database_id: str
    database_sequence: int
    table_id: str
    sequence: int
    name: str
    permissions: list[str]
    row_security: bool
    enabled: bool
    created_at: datetime
    updated_at: datetime
    columns: dict[str, Column] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    rows: RowStore = field(default_factory=RowStore)
    has_failed_columns: bool = False

    @property
    def place(self) -> str:
        """What begins the ids of its indexes: `2_1`."""
        return f"{self.database_sequence}_{self.sequence}"

    @property
    def internal_name(self) -> str:
        """What bulk events give away as `$collection`."""
        return f"database_{self.database_sequence}_collection_{self.sequence}"

    def ready_columns(self, now: datetime) -> Mapping[str, Column]:
        """Return the columns that can be written and asked for by now."""
        if not self.columns or (now >= next(reversed(self.columns.values())).made_at and not self.has_failed_columns):
            return self.columns
        return {key: column for key, column in self.columns.items() if now >= column.made_at and not column.error}

    def bytes_used(self) -> int:
        """Return the width of a row."""
        return BASE_BYTES + sum(column.width_bytes() for column in self.columns.values())

    def add_column(self, column: Column) -> None:
        """Add a column; raises the refusals of a taken key and of a row that would become too wide."""
        if column.key.lower() in map(str.lower, self.columns):
            raise refused("column_already_exists", column.key)
        if len(self.columns) >= MOST_COLUMNS or self.bytes_used() + column.width_bytes() > MOST_BYTES:
            raise refused("column_limit_exceeded", f"no room for column {column.key}")
        self.columns[column.key] = column
        self.has_failed_columns |= bool(column.error)

    def change_column(self, column: Column) -> None:
        """Put a column in the place of the one with its key; raises the refusal of a row that would become too wide."""
        grown = column.width_bytes() - self.columns[column.key].width_bytes()
        if self.bytes_used() + grown > MOST_BYTES:
            raise refused("column_limit_exceeded", f"no room for column {column.key}")
        self.columns[column.key] = column

    def add_index(self, index: Index) -> Index:
        """Add an index and return it as it was made: a unique one over rows that are not ends as failed."""
        if index.key.lower() in map(str.lower, self.indexes):
            raise refused("column_index_already_exists", index.key)
        if len(self.indexes) >= MOST_INDEXES:
            raise refused("column_index_limit_exceeded")
        self.rows.look_up_by(index.columns[0])
        if index.kind == "unique" and not self.rows.keep_unique(index.key, index.columns):
            index = index.failed("some rows have the same values")
        self.indexes[index.key] = index
        return index

    def body(self, now: datetime) -> dict[str, object]:
        """Return the table as the API shows it."""
        return {
            "$id": self.table_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.updated_at),
            "$permissions": self.permissions,
            "databaseId": self.database_id,
            "name": self.name,
            "enabled": self.enabled,
            "rowSecurity": self.row_security,
            "columns": [column.body(now) for column in self.columns.values()],
            "indexes": [index.body(now) for index in self.indexes.values()],
            "bytesMax": MOST_BYTES,
            "bytesUsed": self.bytes_used(),
        }


@dataclass(slots=True)
class Database:
    """One database and its tables."""

    database_id: str
    sequence: int
    name: str
    enabled: bool
    created_at: datetime
    tables: dict[str, Table] = field(default_factory=dict)

    def table(self, table_id: str) -> Table:
        """Return a table; raises table_not_found."""
        if table_id not in self.tables:
            raise refused("table_not_found", table_id)
        return self.tables[table_id]

    def body(self) -> dict[str, object]:
        """Return the database as the API shows it."""
        return {
            "$id": self.database_id,
            "name": self.name,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.created_at),
            "enabled": self.enabled,
            "type": "tablesdb",
        }
