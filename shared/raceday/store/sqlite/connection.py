"""One SQLite connection: transactions, upserts, and errors in the house's own words.

Calls are synchronous although the port is async: a write takes about a millisecond, less than handing it to a
thread and back would. No method awaits between two statements, so that tasks of one process never see half of
one another's transactions; other processes wait at `BEGIN IMMEDIATE`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from raceday.errors import ConfigError, StoreUnavailable
from raceday.store.rows.values import Row, StoredRow, unsaid_columns
from raceday.store.sqlite.reading import connect_read_only, require_schema
from raceday.store.sqlite.schema import make_schema
from raceday.store.tables import Table

BUSY_TIMEOUT_S = 5.0
STATEMENT_CACHE = 256
CACHE_KIB = 16_384
"""A race day is some 100 MB; its hot index pages fit in this."""
_WRONG_PATH = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})


def _nothing(_step: str) -> None:
    """Go on: outside of tests nothing happens between two statements."""


class SqliteConnection:
    """A database file (or memory) with the catalogue's tables.

    `calls` counts round trips (a transaction or a read is one), `transactions` the committed writes; what a
    session does counts for the connection it was taken from as well.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, whole: SqliteConnection | None = None) -> None:
        self._connection = connection
        self._path = path
        self._whole = whole
        self.calls = 0
        self.transactions = 0
        self.step: Callable[[str], None] = _nothing
        """Called between the statements of a transaction; the fault tests pull the plug here."""

    @classmethod
    def open_read_only(cls, path: str) -> SqliteConnection:
        """Open a database that exists, to read it; writing fails, and nothing is made or added.

        Raises `ConfigError` when there is none or an older RaceDay made it, else as `open`.
        """
        try:
            connection = connect_read_only(path, BUSY_TIMEOUT_S)
        except sqlite3.Error as cause:
            raise _opening_error(cause, path) from cause
        with _closed_on_error(connection, path):
            require_schema(connection, path)
        return cls(connection, path)

    @classmethod
    def open(cls, path: str) -> SqliteConnection:
        """Open a database, making it and whatever its schema lacks.

        Raises `ConfigError` when the path cannot hold a database or holds something else, `StoreUnavailable`
        when it is locked or the disk fails.
        """
        try:
            connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, cached_statements=STATEMENT_CACHE
            )
        except sqlite3.Error as cause:
            raise _opening_error(cause, path) from cause
        with _closed_on_error(connection, path):
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", f"cache_size = -{CACHE_KIB}"):
                connection.execute(f"PRAGMA {pragma}")
            make_schema(connection, path)
        return cls(connection, path)

    def session(self) -> SqliteConnection:
        """Return the same connection with its own counts."""
        return SqliteConnection(self._connection, self._path, self._whole or self)

    def close(self) -> None:
        """Close the database; doing it twice is allowed."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one consistent state, whatever other processes write meanwhile."""
        with self._transaction("BEGIN"):
            yield

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one query as tuples; a single statement needs no transaction around it."""
        self._count_call()
        try:
            return self.tuples(sql, parameters)
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as cause:
            raise StoreUnavailable(f"{self._path}: {cause}") from cause

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write all or nothing: an error of any kind rolls everything back."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield
        self.transactions += 1
        if self._whole is not None:
            self._whole.transactions += 1

    def _count_call(self) -> None:
        self.calls += 1
        if self._whole is not None:
            self._whole.calls += 1

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._count_call()
        try:
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as cause:
            raise StoreUnavailable(f"{self._path}: {cause}; nothing was written") from cause

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[StoredRow]:
        """Return all rows of a query by column name."""
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor]

    def row(self, sql: str, parameters: Sequence[object] = ()) -> StoredRow | None:
        """Return the first row of a query, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def tuples(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query as plain tuples: the cheapest way to read hundreds."""
        return self._connection.execute(sql, parameters).fetchall()

    def write(self, sql: str, parameters: Sequence[object]) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def write_many(self, sql: str, parameters: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row of parameters."""
        self._connection.executemany(sql, parameters)

    def upsert(self, table: Table, rows: Iterable[Row], at: str) -> None:
        """Insert rows or update those whose id exists; columns that a row does not name keep their value."""
        by_columns: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
        for row in rows:
            by_columns.setdefault(tuple(row), []).append((*row.values(), at, at))
        for columns, values in by_columns.items():
            self._connection.executemany(upsert_statement(table, columns), values)

    def insert_missing(self, table: Table, rows: Iterable[Row], at: str) -> None:
        """Insert the rows whose id does not exist yet, and leave the others as they are."""
        for row in rows:
            columns = tuple(row)
            names = ", ".join(f'"{column}"' for column in columns)
            self._connection.execute(
                f'INSERT INTO {table.sql_name} ({names}, "$createdAt", "$updatedAt") '  # noqa: S608
                f'VALUES ({placeholders(columns)}, ?, ?) ON CONFLICT ("$id") DO NOTHING',
                (*row.values(), at, at),
            )

    def update(self, table: Table, row: Row, at: str) -> None:
        """Set the named columns of a row that exists; nothing happens when it does not."""
        columns = tuple(row)
        settings = ", ".join(f'"{column}" = ?' for column in columns if column != "$id")
        values = [value for column, value in row.items() if column != "$id"]
        self._connection.execute(
            f'UPDATE {table.sql_name} SET {settings}, "$updatedAt" = ? WHERE "$id" = ?',  # noqa: S608
            (*values, at, row["$id"]),
        )


@lru_cache(maxsize=512)
def upsert_statement(table: Table, columns: tuple[str, ...]) -> str:
    """Return the statement that writes these columns; the row's id is one of them.

    What a row is found by (its race, runner, bucket) never changes under its id, and leaving it alone spares
    SQLite the rewriting of index entries. Required columns that are not written stay as they are, too; only a
    new row gets them empty.
    """
    unsaid = unsaid_columns(table, columns)
    names = ", ".join(f'"{column}"' for column in (*columns, *unsaid))
    values = ", ".join(["?"] * len(columns) + ["''" if empty == "" else str(empty) for empty in unsaid.values()])
    settings = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in _LASTING)
    return (
        f'INSERT INTO {table.sql_name} ({names}, "$createdAt", "$updatedAt") VALUES ({values}, ?, ?) '  # noqa: S608
        f'ON CONFLICT ("$id") DO UPDATE SET {settings}, "$updatedAt" = excluded."$updatedAt"'
    )


_LASTING = frozenset({"$id", "raceId", "entrantId", "timeInterval"})


def placeholders(values: Sequence[object]) -> str:
    """Return as many question marks as there are values, for an IN list."""
    return ", ".join("?" * len(values))


@contextmanager
def _closed_on_error(connection: sqlite3.Connection, path: str) -> Iterator[None]:
    """Close a connection that cannot be used after all, and say why in the house's own words."""
    try:
        yield
    except sqlite3.Error as cause:
        connection.close()
        raise _opening_error(cause, path) from cause
    except ConfigError:
        connection.close()
        raise


def _opening_error(cause: sqlite3.Error, path: str) -> ConfigError | StoreUnavailable:
    # The low byte is the primary result code; the rest says more of the same.
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return ConfigError(f"{path} is not a SQLite database; name another path or move that file away")
    if code in _WRONG_PATH:
        return ConfigError(f"{Path(path).absolute()} cannot be opened ({cause}); name a file in a writable folder")
    return StoreUnavailable(f"{path}: {cause}")
