"""The SQLite schema, made from the catalogue. Only ever adds: nothing that is stored is dropped or changed."""

from __future__ import annotations

import sqlite3

from raceday.errors import ConfigError
from raceday.store.tables import CATALOGUE, Column, Table

_SQL_TYPES = {"text": "TEXT", "datetime": "TEXT", "integer": "INTEGER", "boolean": "INTEGER", "float": "REAL"}


def make_schema(connection: sqlite3.Connection, path: str) -> None:
    """Create the tables, columns and indexes that are missing, in one transaction.

    Raises `ConfigError` when a column of the file has another type than the catalogue says.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table in CATALOGUE:
            _make_table(connection, table, path)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _make_table(connection: sqlite3.Connection, table: Table, path: str) -> None:
    stored = {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table.sql_name})")}
    if not stored:
        connection.execute(create_statement(table))
    else:
        for column in (*table.columns, *_permission_columns(table)):
            _make_column(connection, table, column, stored.get(column.name), path)
    for index in table.indexes:
        unique = "UNIQUE " if index.kind == "unique" else ""
        columns = ", ".join(f'"{column}"' for column in index.columns)
        connection.execute(
            f"CREATE {unique}INDEX IF NOT EXISTS {table.sql_name}_{index.name} ON {table.sql_name} ({columns})"
        )


def _make_column(
    connection: sqlite3.Connection, table: Table, column: Column, stored_type: str | None, path: str
) -> None:
    wanted = _SQL_TYPES[column.kind]
    if stored_type is None:
        # Rows that exist have no value for it, so a new column is never NOT NULL.
        connection.execute(f'ALTER TABLE {table.sql_name} ADD COLUMN "{column.name}" {wanted}{_default(column)}')
    elif stored_type.upper() != wanted:
        raise ConfigError(
            f"{path}: column {column.name} of table {table.sql_name} is {stored_type}, expected {wanted}; "
            "use another file, or move the rows of this one to a new one"
        )


def create_statement(table: Table) -> str:
    """Return the statement that creates a table, with the three columns that every Appwrite row has."""
    columns = [
        f'"{column.name}" {_SQL_TYPES[column.kind]}{_default(column)}{" NOT NULL" if column.required else ""}'
        for column in (*table.columns, *_permission_columns(table))
    ]
    system = ['"$id" TEXT NOT NULL PRIMARY KEY', '"$createdAt" TEXT NOT NULL', '"$updatedAt" TEXT NOT NULL']
    return f"CREATE TABLE {table.sql_name} ({', '.join(system + columns)}) STRICT"


def _permission_columns(table: Table) -> tuple[Column, ...]:
    """Return what tells who may see a row, of a table where that is a matter of the row."""
    return (Column("$permissions", "text", 2000, about="JSON list"),) if table.row_security else ()


def _default(column: Column) -> str:
    if column.default is None:
        return ""
    if isinstance(column.default, str):
        quoted = column.default.replace("'", "''")
        return f" DEFAULT '{quoted}'"
    return f" DEFAULT {int(column.default) if column.kind == 'boolean' else column.default}"
