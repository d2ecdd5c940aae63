"""The catalogue in the platform's words: what appwrite.json declares and set-up creates, one and the same.

Every key that the server returns is written out, because the command line (12.0.1) drops and recreates a column of
which it misses one. Texts are of the type `string`, the only one that it knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from raceday.store.tables import CATALOGUE
from raceday.store.tables.buckets import BUCKETS, Bucket
from raceday.store.tables.shapes import Column, Index, Kind, Scalar, Table

TYPES: dict[Kind, str] = {
    "text": "string",
    "integer": "integer",
    "float": "double",
    "boolean": "boolean",
    "datetime": "datetime",
}
NUMBERS = frozenset({"integer", "double"})
LARGEST = 2**53 - 1
"""The bound of every number: up to here whole numbers are exact wherever JSON is read.

The server's own bound of a double, 1.8e308, is refused by the newer command lines as beyond 64 bits.
"""


@dataclass(frozen=True, slots=True)
class PlatformColumn:
    """A column as the platform shows it.

    `size` (in characters) and `encrypt` are of strings, `lowest` and `highest` of numbers, None for all others.
    """

    key: str
    type: str
    required: bool
    array: bool = False
    default: Scalar = None
    size: int | None = None
    encrypt: bool | None = None
    lowest: float | None = None
    highest: float | None = None

    def entry(self) -> dict[str, object]:
        """Return the column as appwrite.json has it."""
        own: dict[str, object] = {}
        if self.type == "string":
            own = {"size": self.size, "encrypt": self.encrypt}
        elif self.type in NUMBERS:
            own = {"min": self.lowest, "max": self.highest}
        elif self.type == "datetime":
            own = {"format": ""}
        common = {"key": self.key, "type": self.type, "required": self.required, "array": self.array}
        return {**common, **own, "default": self.default}


@dataclass(frozen=True, slots=True)
class PlatformIndex:
    """An index as the platform shows it; `orders` has one word for each column."""

    key: str
    type: str
    columns: tuple[str, ...]
    orders: tuple[str, ...]

    def entry(self) -> dict[str, object]:
        """Return the index as appwrite.json has it."""
        return {"key": self.key, "type": self.type, "columns": list(self.columns), "orders": list(self.orders)}


@dataclass(frozen=True, slots=True)
class PlatformTable:
    """A table as the platform shows it; its name is its id."""

    table_id: str
    permissions: tuple[str, ...]
    row_security: bool
    columns: tuple[PlatformColumn, ...]
    indexes: tuple[PlatformIndex, ...]

    def entry(self, database_id: str) -> dict[str, object]:
        """Return the table as appwrite.json has it."""
        return {
            "$id": self.table_id,
            "$permissions": list(self.permissions),
            "databaseId": database_id,
            "name": self.table_id,
            "enabled": True,
            "rowSecurity": self.row_security,
            "columns": [column.entry() for column in self.columns],
            "indexes": [index.entry() for index in self.indexes],
        }


def platform_column(column: Column) -> PlatformColumn:
    """Return a column of the catalogue as the platform shows it once it is made."""
    is_text, is_number = column.kind == "text", column.kind in {"integer", "float"}
    return PlatformColumn(
        key=column.name,
        type=TYPES[column.kind],
        required=column.required,
        default=column.default,
        size=column.size if is_text else None,
        encrypt=False if is_text else None,
        lowest=-LARGEST if is_number else None,
        highest=LARGEST if is_number else None,
    )


def platform_index(index: Index) -> PlatformIndex:
    """Return an index of the catalogue as the platform shows it once it is made."""
    return PlatformIndex(index.name, index.kind, index.columns, ("ASC",) * len(index.columns))


def platform_table(table: Table) -> PlatformTable:
    """Return a table of the catalogue as the platform shows it once it is made."""
    return PlatformTable(
        table.name,
        table.permissions,
        table.row_security,
        tuple(map(platform_column, table.columns)),
        tuple(map(platform_index, table.indexes)),
    )


def bucket_entry(bucket: Bucket) -> dict[str, object]:
    """Return a bucket as appwrite.json has it and as the server shows it."""
    return {
        "$id": bucket.bucket_id,
        "$permissions": list(bucket.permissions),
        "fileSecurity": False,
        "name": bucket.bucket_id,
        "enabled": True,
        "maximumFileSize": bucket.maximum_file_size_bytes,
        "allowedFileExtensions": list(bucket.allowed_extensions),
        # As the server has them when nothing is said.
        "compression": "none",
        "encryption": True,
        "antivirus": True,
    }


@dataclass(frozen=True, slots=True)
class PlatformSchema:
    """All that the bundle keeps on a platform."""

    database_id: str
    tables: tuple[PlatformTable, ...]
    buckets: tuple[Bucket, ...]


def platform_schema(
    database_id: str, catalogue: Iterable[Table] = CATALOGUE, buckets: Iterable[Bucket] = BUCKETS
) -> PlatformSchema:
    """Return the catalogue as a platform shows it once it is made."""
    return PlatformSchema(database_id, tuple(map(platform_table, catalogue)), tuple(buckets))
