"""Connections of the operator's commands: one at a time, in UTC, with every digit of a number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from raceday.errors import ConfigError, StoreUnavailable

CONNECT_TIMEOUT_S = 5
Connection = psycopg.Connection[tuple[Any, ...]]
# Rows are compared by their text in two databases: what that text looks like must not depend on their settings.
_SESSION = (
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 -c bytea_output=hex "
    "-c jit=off -c raceday.stamps=own"
)


@contextmanager
def connected(database_url: str, database: str = "", *, autocommit: bool = True) -> Iterator[Connection]:
    """Open a connection, to another database of the same server if one is named.

    Raises `StoreUnavailable` when the server does not answer, `ConfigError` when the URL is none.
    """
    other: dict[str, str] = {"dbname": database} if database else {}
    try:
        conninfo = make_conninfo(database_url, application_name="raceday operations", **other)
    except psycopg.ProgrammingError:
        # libpq's own message repeats the text, and with it the password.
        raise ConfigError("DATABASE_URL is no connection string: write postgresql://user@host:5432/raceday") from None
    try:
        connection = psycopg.connect(
            conninfo, autocommit=autocommit, connect_timeout=CONNECT_TIMEOUT_S, options=_SESSION
        )
    except psycopg.OperationalError as cause:
        raise StoreUnavailable(f"the database cannot be reached: {str(cause).strip()}") from None
    try:
        with connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as cause:
        raise ConfigError(f"the database's user may not do this: {str(cause).strip()}") from cause
    except psycopg.errors.UndefinedTable as cause:
        raise ConfigError(
            f"the database has no schema of RaceDay ({str(cause).splitlines()[0]}): start the server on it once"
        ) from cause
    except psycopg.OperationalError as cause:
        raise StoreUnavailable(f"the database does not answer: {str(cause).strip()}") from cause
