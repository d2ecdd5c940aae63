"""The catalogue in the platform's words, and MariaDB's limits on it."""

from __future__ import annotations

import pytest

from raceday.deployment.limits import (
    INDEX_LENGTH,
    column_bytes,
    index_length,
    misfits,
    row_bytes,
)
from raceday.deployment.platform_schema import LARGEST, bucket_entry, platform_schema, platform_table
from raceday.simulator.appwrite.permissions import TABLE_ACTIONS, permissions_of
from raceday.store.tables import CATALOGUE, Index, Table
from raceday.store.tables.buckets import BUCKETS, SILK_ICONS
from raceday.store.tables.shapes import boolean, decimal, instant, integer, text

by_name = pytest.mark.parametrize("table", CATALOGUE, ids=lambda table: table.name)


def made(*columns, indexes=()):
    return platform_table(Table("t", columns, indexes))


def test_every_kind_of_column_has_every_key_that_the_server_returns():
    table = made(
        text("name", 40, default="x"),
        integer("count", default=0),
        decimal("odds"),
        boolean("open", required=True),
        instant("at"),
    )
    assert [column.entry() for column in table.columns] == [
        {"key": "name", "type": "string", "required": False, "array": False, "size": 40, "encrypt": False,
         "default": "x"},
        {"key": "count", "type": "integer", "required": False, "array": False, "min": -LARGEST, "max": LARGEST,
         "default": 0},
        {"key": "odds", "type": "double", "required": False, "array": False, "min": -LARGEST, "max": LARGEST,
         "default": None},
        {"key": "open", "type": "boolean", "required": True, "array": False, "default": None},
        {"key": "at", "type": "datetime", "required": False, "array": False, "format": "", "default": None},
    ]  # fmt: skip


def test_the_schema_has_every_table_column_and_index_of_the_catalogue():
    schema = platform_schema("db")
    assert [table.table_id for table in schema.tables] == [table.name for table in CATALOGUE]
    for declared, table in zip(CATALOGUE, schema.tables, strict=True):
        assert [column.key for column in table.columns] == [column.name for column in declared.columns]
        assert [(index.key, index.type, index.columns) for index in table.indexes] == [
            (index.name, index.kind, index.columns) for index in declared.indexes
        ]
        assert (table.permissions, table.row_security) == (declared.permissions, declared.row_security)


def test_rows_of_people_are_their_owners_alone():
    secured = {table.table_id: table.permissions for table in platform_schema("db").tables if table.row_security}
    assert secured == {"user-alert-configs": (), "user-alert-channels": (), "notifications": ()}


def test_nobody_writes_without_a_key():
    for table in platform_schema("db").tables:
        assert set(table.permissions) <= {'read("any")'}, table.table_id


@by_name
def test_every_table_fits_the_platform(table):
    assert misfits(platform_table(table)) == []


@by_name
def test_the_server_takes_every_id_and_permission(table):
    assert permissions_of(list(table.permissions), TABLE_ACTIONS) == list(table.permissions)
    assert len(table.name) <= 36


@pytest.mark.parametrize(
    ("column", "width"),
    [
        (text("a", 255), 1021),
        (text("a", 256), 1026),
        (text("a", 16_381), 65_526),
        (text("a", 16_382), 20),
        (text("a", 500_000), 20),
        (integer("a"), 8),
        (decimal("a"), 8),
        (boolean("a"), 1),
        (instant("a"), 7),
    ],
    ids=str,
)
def test_what_a_column_takes_of_a_row(column, width):
    assert column_bytes(made(column).columns[0]) == width


def test_the_width_of_a_row_is_the_servers_own_figure():
    """1.9.6 told `bytesUsed` 2434 of a table with these columns, one small integer (4 bytes) and one text (20)."""
    columns = (
        text("entrantId", 36, required=True),
        text("raceId", 36, required=True),
        text("name", 255, required=True),
        decimal("fixedWinOdds"),
        decimal("poolWinOdds"),
        boolean("isScratched", default=False),
        instant("lastUpdated"),
        integer("winPoolAmount"),
    )
    assert row_bytes(made(*columns).columns) + 4 + 20 == 2434


def test_a_row_that_is_too_wide_is_named_with_figures():
    table = made(*(text(f"c{n}", 5_000) for n in range(4)), boolean("open"))
    (fault,) = misfits(table)
    assert "a row is 81076 bytes wide" in fault
    assert "c0 20002" in fault
    assert "at most 65535" in fault
    assert "16381 characters" in fault


def test_an_index_that_is_too_long_is_named_with_figures():
    columns = (text("a", 500), text("b", 267), decimal("c"), integer("d"))
    table = made(*columns, indexes=(Index("fits", ("a", "b", "d")), Index("long", ("a", "b", "c"), "unique")))
    by_key = {column.key: column for column in table.columns}
    assert [index_length(index, by_key) for index in table.indexes] == [INDEX_LENGTH, INDEX_LENGTH + 1]
    (fault,) = misfits(table)
    assert "index long is 769 long (a 500, b 267, c 2), at most 768" in fault


def test_too_many_columns_or_indexes_are_counted():
    indexes = tuple(Index(f"i{n}", ("c0",)) for n in range(60))
    faults = misfits(made(*(boolean(f"c{n}") for n in range(1_018)), indexes=indexes))
    assert any("1018 columns, at most 1017" in fault for fault in faults)
    assert any("60 indexes, at most 59" in fault for fault in faults)


def test_icons_are_public_and_nothing_but_drawings():
    assert BUCKETS == (SILK_ICONS,)
    entry = bucket_entry(SILK_ICONS)
    assert entry["$id"] == "silk-icons"
    assert entry["$permissions"] == ['read("any")']
    assert entry["allowedFileExtensions"] == ["svg"]
    assert entry["maximumFileSize"] >= next(
        table.column("svgData").size for table in CATALOGUE if table.name == "jockey-silks"
    )
