"""Backs a database up into one file, which has its name only after it was restored once and compared."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from raceday.errors import ConfigError
from raceday.server.operations.connections import Connection, connected
from raceday.server.operations.errors import BackupFailed
from raceday.server.operations.postgres_tools import PostgresTools, find_tools
from raceday.server.operations.scratch_database import (
    beside,
    database_name,
    drop_database,
    fill_database,
    make_database,
)
from raceday.server.operations.table_prints import MIGRATIONS_TABLE, TablePrint, differences, table_prints

DUMP_ENDING = ".dump"
CONTENTS_ENDING = ".json"
_NAME = re.compile(r"raceday-\d{8}T\d{6}Z\.dump")
Say = Callable[[str], None]
"""Tells a person what is being done."""


class BackupContents(BaseModel):
    """What lies beside a backup: its hash, and what every table held when it was made."""

    model_config = ConfigDict(frozen=True)

    made_at: datetime
    database: str
    postgres_major: int
    schema_version: str
    size_bytes: int
    sha256: str
    tables: dict[str, TablePrint]

    @property
    def rows(self) -> int:
        """How many rows all tables have together."""
        return sum(table.rows for table in self.tables.values())


@dataclass(frozen=True, slots=True)
class Backup:
    """A verified backup. `removed` are the older ones that had to go."""

    path: Path
    contents: BackupContents
    removed: tuple[Path, ...] = ()


def back_up(database_url: str, folder: Path, now: datetime, say: Say, keep: int = 0) -> Backup:
    """Dump a database into `folder/raceday-<UTC time>.dump`, restore it beside, and compare every table.

    `keep` removes all but so many backups of the folder, 0 none. A file that fails is removed. Raises `BackupFailed`
    or `ConfigError`.
    """
    path = folder / f"raceday-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{DUMP_ENDING}"
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Whoever may read the file may read the database.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as cause:
        raise ConfigError(f"{folder} takes no backup ({cause}): name another folder") from cause
    try:
        contents = _dump_and_compare(database_url, part, now, say)
        path.with_suffix(CONTENTS_ENDING).write_text(contents.model_dump_json(indent=2) + "\n")
        _flush(part)
        part.rename(path)
        _flush(folder)
    except OSError as cause:
        raise BackupFailed(f"the backup could not be written: {cause}") from cause
    finally:
        part.unlink(missing_ok=True)
        if not path.exists():
            path.with_suffix(CONTENTS_ENDING).unlink(missing_ok=True)
    return Backup(path, contents, _remove_older(folder, keep))


def server_major(connection: Connection) -> int:
    """Return the major version of a connection's server."""
    return connection.info.server_version // 10_000


def _dump_and_compare(database_url: str, part: Path, now: datetime, say: Say) -> BackupContents:
    with beside(database_url) as server:
        tools = find_tools(server_major(server))
        scratch = make_database(server, database_url, "verify")
        try:
            prints, schema_version = _dump(database_url, tools, part, say)
            say(f"restoring it into {scratch} to see that it is whole")
            fill_database(tools, part, database_url, scratch)
            with connected(database_url, scratch) as copy:
                different = differences(prints, table_prints(copy))
        finally:
            drop_database(server, scratch)
    if different:
        raise BackupFailed(f"the backup is not what the database held: {'; '.join(different)}")
    return BackupContents(
        made_at=now,
        database=database_name(database_url),
        postgres_major=tools.major,
        schema_version=schema_version,
        size_bytes=part.stat().st_size,
        sha256=sha256_of(part),
        tables=prints,
    )


def _dump(database_url: str, tools: PostgresTools, part: Path, say: Say) -> tuple[dict[str, TablePrint], str]:
    """Dump, and count and hash the rows, in one and the same snapshot; returns the prints and the schema's version."""
    with connected(database_url, autocommit=False) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
        say(f"dumping {database_name(database_url)} with pg_dump {tools.major}")
        arguments = ["--format=custom", "--compress=gzip:6", "--no-password", f"--file={part}"]
        tools.run("pg_dump", [*arguments, f"--snapshot={snapshot[0] if snapshot else ''}"], database_url)
        prints = table_prints(connection)
        version = None
        if MIGRATIONS_TABLE in prints:
            version = connection.execute("SELECT version_num FROM schema_migrations").fetchone()
    return prints, str(version[0]) if version else ""


def _remove_older(folder: Path, keep: int) -> tuple[Path, ...]:
    backups = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    older = tuple(backups[:-keep]) if keep else ()
    for path in older:
        path.unlink()
        path.with_suffix(CONTENTS_ENDING).unlink(missing_ok=True)
    return older


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
