"""Databases beside the one that is worked on: made, filled from a dump, dropped, renamed into its place."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from raceday.errors import ConfigError
from raceday.server.operations.connections import Connection, connected
from raceday.server.operations.postgres_tools import PostgresTools

_LONGEST_NAME = 40
"""PostgreSQL's names have at most 63 characters; ours say what they are for behind the database's."""


def database_name(database_url: str) -> str:
    """Return the database that a connection string names."""
    try:
        name = conninfo_to_dict(database_url).get("dbname")
    except psycopg.ProgrammingError:
        name = None
    if not name:
        raise ConfigError("DATABASE_URL names no database: write postgresql://user@host:5432/raceday")
    return str(name)


def url_of(database_url: str, database: str) -> str:
    """Return the connection string of another database of the same server."""
    return make_conninfo(database_url, dbname=database)


@contextmanager
def beside(database_url: str) -> Iterator[Connection]:
    """Connect to the server without touching the database itself."""
    maintenance = "postgres" if database_name(database_url) != "postgres" else "template1"
    with connected(database_url, maintenance) as connection:
        yield connection


def make_database(server: Connection, database_url: str, purpose: str) -> str:
    """Make an empty database and return its name; `ConfigError` when the user may not."""
    name = f"{database_name(database_url)[:_LONGEST_NAME]}_{purpose}_{secrets.token_hex(4)}"
    try:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as cause:
        raise ConfigError(
            "the database's user may not create a database, which a verified copy needs: ALTER ROLE … CREATEDB"
        ) from cause
    return name


def drop_database(server: Connection, name: str) -> None:
    """Drop a database that we made, whoever still looks at it."""
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def fill_database(tools: PostgresTools, dump: Path, database_url: str, name: str) -> None:
    """Restore a dump into an empty database, all of it or with an error; owners and rights are the new user's."""
    tools.run(
        "pg_restore",
        ["--exit-on-error", "--no-owner", "--no-privileges", "--no-password", f"--dbname={name}", str(dump)],
        database_url,
    )
