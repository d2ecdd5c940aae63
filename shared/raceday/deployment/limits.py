"""What MariaDB under the platform takes: how wide a row may be, how long an index, how many of them.

The figures are the platform's own arithmetic (1.9.6, `bytesUsed` of a table agrees with it). A new installation may
run on MongoDB, which allows more; what fits here fits there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raceday.deployment.platform_schema import PlatformColumn, PlatformIndex, PlatformTable

ROW_BYTES = 65_535
BASE_BYTES = 1_067
"""What a row takes before its first column."""
MOST_COLUMNS = 1_017
MOST_INDEXES = 59
"""MariaDB's 64 less those that the platform makes for itself."""
INDEX_LENGTH = 768
LARGEST_IN_ROW = 16_381
"""The longest string that is kept in the row; of a longer one only a pointer is."""
_POINTER_BYTES = 20
_SMALL_INTEGER = 2**31 - 1
_BYTES = {"double": 8, "boolean": 1, "datetime": 7}


def column_bytes(column: PlatformColumn) -> int:
    """Return what a column of the catalogue's types takes of a row's width."""
    if column.type == "string":
        size = column.size or 0
        if size > LARGEST_IN_ROW:
            return _POINTER_BYTES
        return 4 * size + (2 if size > 255 else 1)
    if column.type == "integer":
        return 8 if (column.highest or 0) > _SMALL_INTEGER else 4
    return _BYTES[column.type]


def row_bytes(columns: Iterable[PlatformColumn]) -> int:
    """Return the width of a row of these columns."""
    return BASE_BYTES + sum(map(column_bytes, columns))


def index_length(index: PlatformIndex, columns: Mapping[str, PlatformColumn]) -> int:
    """Return the length of an index: a string counts its size, a double 2, anything else 1."""
    return sum(_length(columns[key]) for key in index.columns)


def misfits(table: PlatformTable) -> list[str]:
    """Say for each limit that a table would break by how much, and what helps."""
    columns = {column.key: column for column in table.columns}
    found = [*_row_misfits(table), *_count_misfits(table)]
    for index in table.indexes:
        length = index_length(index, columns)
        if length > INDEX_LENGTH:
            parts = ", ".join(f"{key} {_length(columns[key])}" for key in index.columns)
            found.append(
                f"table {table.table_id}: index {index.key} is {length} long ({parts}), at most {INDEX_LENGTH} is "
                "possible: index fewer or shorter columns"
            )
    return found


def _row_misfits(table: PlatformTable) -> list[str]:
    width = row_bytes(table.columns)
    if width <= ROW_BYTES:
        return []
    widest = sorted(table.columns, key=column_bytes, reverse=True)[:3]
    named = ", ".join(f"{column.key} {column_bytes(column)}" for column in widest)
    fault = (
        f"table {table.table_id}: a row is {width} bytes wide (widest: {named}), at most {ROW_BYTES} is possible: make "
        f"strings shorter, or longer than {LARGEST_IN_ROW} characters, which keeps them outside the row"
    )
    return [fault]


def _count_misfits(table: PlatformTable) -> list[str]:
    counted = (("columns", len(table.columns), MOST_COLUMNS), ("indexes", len(table.indexes), MOST_INDEXES))
    return [
        f"table {table.table_id}: {count} {things}, at most {most} are possible: divide the table"
        for things, count, most in counted
        if count > most
    ]


def _length(column: PlatformColumn) -> int:
    if column.type == "string":
        return column.size or 0
    return 2 if column.type == "double" else 1
