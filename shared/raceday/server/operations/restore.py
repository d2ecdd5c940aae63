"""Restores a backup into a database of its own, compares it, and only then puts it in the old one's place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import psycopg
from psycopg import sql
from pydantic import ValidationError

from raceday.errors import ConfigError
from raceday.server.operations.backup import CONTENTS_ENDING, BackupContents, Say, server_major, sha256_of
from raceday.server.operations.connections import Connection, connected
from raceday.server.operations.errors import BackupFailed, RestoreRefused
from raceday.server.operations.postgres_tools import PostgresTools, find_tools
from raceday.server.operations.scratch_database import (
    beside,
    database_name,
    drop_database,
    fill_database,
    make_database,
)
from raceday.server.operations.table_prints import differences, holds_rows, table_prints

_LEAVING_S = 1.0
_USERS = "SELECT application_name, pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"


@dataclass(frozen=True, slots=True)
class RestoredDatabase:
    """A database as its backup has it. `replaced` is the name under which the old one lies now, empty for none.

    `compared` is false for a backup without its contents beside it: then nothing but pg_restore says that it is whole.
    """

    database: str
    tables: int
    rows: int
    compared: bool
    replaced: str


def restore_backup(
    database_url: str, dump: Path, now: datetime, say: Say, *, replace: bool = False
) -> RestoredDatabase:
    """Restore a file into the database of the connection string, which must hold no rows unless `replace` is said.

    What is replaced stays on the server under another name. Until the very last step the database is as it was.
    Raises `ConfigError`, `BackupFailed` (the file is damaged) or `RestoreRefused`.
    """
    contents = contents_of(dump)
    _refuse_damaged(dump, contents)
    target = database_name(database_url)
    with beside(database_url) as server:
        tools = find_tools(server_major(server))
        tools.run("pg_restore", ["--list", str(dump)], database_url)
        there = _is_there(server, target)
        held = there and _held(database_url)
        if held and not replace:
            raise RestoreRefused(
                f"{target} holds rows: name an empty database, or say --replace (it is kept under another name)"
            )
        if there:
            _refuse_in_use(server, target)
        fresh = make_database(server, database_url, "restoring")
        try:
            tables, rows = _fill_and_compare(database_url, fresh, dump, contents, tools, say)
            replaced = f"{target[:40]}_before_{now.astimezone(UTC):%Y%m%dT%H%M%SZ}" if held else ""
            say(f"putting it in the place of {target}" + (f", which is now {replaced}" if replaced else ""))
            _put_in_place(server, fresh, target, replaced, there=there)
        except BaseException:
            drop_database(server, fresh)
            raise
    return RestoredDatabase(target, tables, rows, contents is not None, replaced)


def contents_of(dump: Path) -> BackupContents | None:
    """Return what lies beside a backup, None when nothing does; raises `ConfigError` for a file that is not there."""
    if not dump.is_file():
        raise ConfigError(f"{dump} is no file: name a backup")
    beside_it = dump.with_suffix(CONTENTS_ENDING)
    if not beside_it.is_file():
        return None
    try:
        return BackupContents.model_validate_json(beside_it.read_text())
    except (ValidationError, UnicodeDecodeError) as cause:
        raise BackupFailed(f"{beside_it} does not describe a backup: move it away to restore without it") from cause


def _refuse_damaged(dump: Path, contents: BackupContents | None) -> None:
    if contents is None:
        return
    size_bytes = dump.stat().st_size
    if size_bytes != contents.size_bytes:
        raise BackupFailed(f"{dump} has {size_bytes} bytes and had {contents.size_bytes} when it was made")
    if sha256_of(dump) != contents.sha256:
        raise BackupFailed(f"{dump} is not the file that was made: its hash is another one")


def _fill_and_compare(
    database_url: str, fresh: str, dump: Path, contents: BackupContents | None, tools: PostgresTools, say: Say
) -> tuple[int, int]:
    """Fill a fresh database and return its tables and rows; raises `RestoreRefused` when they are not the backup's."""
    say(f"restoring {dump.name} into {fresh}")
    fill_database(tools, dump, database_url, fresh)
    with connected(database_url, fresh) as copy:
        prints = table_prints(copy)
        copy.execute("ANALYZE")
    different = differences(contents.tables, prints) if contents is not None else []
    if different:
        raise RestoreRefused(f"what was restored is not what was backed up: {'; '.join(different)}")
    return len(prints), sum(table.rows for table in prints.values())


def _is_there(server: Connection, database: str) -> bool:
    return server.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone() is not None


def _held(database_url: str) -> bool:
    with connected(database_url) as connection:
        return holds_rows(connection)


def _refuse_in_use(server: Connection, database: str) -> None:
    """Raise `RestoreRefused` when somebody else is connected; our own last connection may take a moment to go."""
    until = monotonic() + _LEAVING_S
    while users := server.execute(_USERS, (database,)).fetchall():
        if monotonic() > until:
            name, pid = users[0]
            who = f"{len(users)} connections, the first of {name or 'a program without a name'}, process {pid}"
            raise RestoreRefused(f"{database} is in use ({who}): stop the servers first")
        sleep(_LEAVING_S / 20)


def _put_in_place(server: Connection, fresh: str, target: str, replaced: str, *, there: bool) -> None:
    """Give the fresh database the target's name; where that fails, the target has its own again."""
    try:
        if replaced:
            _rename(server, target, replaced)
        elif there:
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(target)))
        try:
            _rename(server, fresh, target)
        except psycopg.Error:
            if replaced:
                _rename(server, replaced, target)
            raise
    except psycopg.errors.ObjectInUse as cause:
        raise RestoreRefused(f"{target} came into use meanwhile ({cause}): stop the servers first") from cause


def _rename(server: Connection, name: str, new_name: str) -> None:
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new_name)))
