"""What two copies of a database must have in common: every table's rows, counted and hashed in the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from raceday.server.operations.connections import Connection

MIGRATIONS_TABLE = "public.schema_migrations"
_TABLES = """
    SELECT space.nspname, class.relname FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = relnamespace
    WHERE class.relkind = 'r' AND class.relpersistence <> 't'
        AND space.nspname NOT LIKE 'pg\\_%' AND space.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = class.oid AND deptype = 'e')
    ORDER BY 1, 2
"""
# The sum of the rows' hashes does not depend on their order, which a restore does not keep.
_PRINT = "SELECT count(*), coalesce(sum(hashtextextended(kept::text, 0)::numeric), 0)::text FROM ONLY {} AS kept"


@dataclass(frozen=True, slots=True)
class TablePrint:
    """How many rows a table has, and the sum of their hashes."""

    rows: int
    sum_of_hashes: str


def table_prints(connection: Connection) -> dict[str, TablePrint]:
    """Return the print of every table by `schema.table`, as the transaction under way sees it."""
    prints = {}
    for schema, table in connection.execute(_TABLES.encode()).fetchall():
        row = connection.execute(sql.SQL(_PRINT).format(sql.Identifier(schema, table))).fetchone()
        if row is not None:
            prints[f"{schema}.{table}"] = TablePrint(*row)
    return prints


def holds_rows(connection: Connection) -> bool:
    """Whether any table but that of the migrations has a row."""
    for schema, table in connection.execute(_TABLES.encode()).fetchall():
        if f"{schema}.{table}" == MIGRATIONS_TABLE:
            continue
        query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {})").format(sql.Identifier(schema, table))
        row = connection.execute(query).fetchone()
        if row is not None and row[0]:
            return True
    return False


def differences(wanted: Mapping[str, TablePrint], found: Mapping[str, TablePrint]) -> list[str]:
    """Return in words what differs between two copies, nothing when they are the same."""
    words = []
    for table in sorted(wanted.keys() | found.keys()):
        one, other = wanted.get(table), found.get(table)
        if one is None or other is None:
            words.append(f"{table} is only in {'the copy' if one is None else 'the original'}")
        elif one != other:
            how = f"{one.rows} rows, then {other.rows}" if one.rows != other.rows else "the same count, other rows"
            words.append(f"{table}: {how}")
    return words
