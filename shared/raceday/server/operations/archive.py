"""Archives detached partitions, and drops them only when what the storage holds was read back and is the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from raceday.domain.racing_day import nz_midnight
from raceday.errors import StoreUnavailable
from raceday.server.operations.archive_files import ArchiveFormat, read_file, write_file
from raceday.server.operations.archive_manifest import MANIFEST_ENDING, Manifest, key_stem, manifest_of
from raceday.server.operations.connections import Connection
from raceday.server.operations.errors import ArchiveDamaged, NotArchived
from raceday.server.operations.object_storage import ObjectStorage
from raceday.server.operations.partition_names import PartitionName
from raceday.server.operations.partitions import DETACHED
from raceday.server.operations.table_rows import (
    RowsDigest,
    arrow_schema,
    columns_of_table,
    digest_of,
    table_batches,
)


@dataclass(frozen=True, slots=True)
class Archived:
    """A partition whose archive was read back and holds the same rows; `uploaded` unless it was there already."""

    manifest: Manifest
    uploaded: bool


def archive_partition(
    connection: Connection, storage: ObjectStorage, name: PartitionName, kind: ArchiveFormat, now: datetime
) -> Archived:
    """Bring a detached partition into the storage and read it back; rows and their order come from one snapshot.

    What lies there whole is not uploaded again, what lies there damaged is. Raises `ArchiveDamaged` when what was
    read back is not what was uploaded, `ArchiveUnavailable` or `ConfigError` when the storage does not take it.
    """
    with TemporaryDirectory(prefix="raceday-archive-") as folder:
        path = Path(folder) / f"{name}.{kind.ending}"
        manifest = _write(connection, name, kind, path, now)
        manifest_key = f"{key_stem(name, manifest.rows_sha256)}{MANIFEST_ENDING}"
        known = _known(storage, manifest_key, Path(folder))
        if known is not None:
            return Archived(known, uploaded=False)
        storage.put_file(manifest.key, path)
        verify_object(storage, manifest, Path(folder))
        # The manifest comes last: where one lies, an object that was read back lies beside it.
        storage.put_text(manifest_key, manifest.model_dump_json(indent=2))
        if storage.text(manifest_key) != manifest.model_dump_json(indent=2):
            raise ArchiveDamaged(f"{storage.address(manifest_key)} did not come back as it was written")
    return Archived(manifest, uploaded=True)


def verify_object(storage: ObjectStorage, manifest: Manifest, folder: Path) -> Path:
    """Read an object into a folder and hold it against its manifest: bytes, hash, rows, and what the rows say.

    Returns the file. Raises `ArchiveDamaged` that says what differs.
    """
    address = storage.address(manifest.key)
    path = folder / f"read-back-{manifest.partition}.{manifest.format.ending}"
    size_bytes, sha256 = storage.fetch(manifest.key, path)
    if size_bytes != manifest.size_bytes:
        raise ArchiveDamaged(f"{address} has {size_bytes} bytes, its manifest says {manifest.size_bytes}")
    if sha256 != manifest.sha256:
        raise ArchiveDamaged(f"{address} has the hash {sha256}, its manifest says {manifest.sha256}")
    digest = digest_of(read_file(path, manifest.format, arrow_schema(manifest.columns)))
    if digest.rows != manifest.rows or digest.sha256 != manifest.rows_sha256:
        raise ArchiveDamaged(f"{address} does not hold the {manifest.rows} rows that its manifest describes")
    return path


def drop_archived(connection: Connection, storage: ObjectStorage, name: PartitionName) -> Manifest:
    """Drop a detached partition of which the storage holds every row as it is now; returns its manifest.

    Nobody writes between the comparison and the drop. Raises `NotArchived`, `ArchiveDamaged` or `StoreUnavailable`
    and drops nothing.
    """
    table = sql.Identifier(DETACHED, str(name))
    try:
        with connection.transaction(), TemporaryDirectory(prefix="raceday-archive-") as folder:
            connection.execute("SET LOCAL lock_timeout = '2s'")
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
            digest = _digest_of_table(connection, name)
            manifest_key = f"{key_stem(name, digest.sha256)}{MANIFEST_ENDING}"
            text = storage.text(manifest_key)
            if text is None:
                raise NotArchived(f"{name} is not archived as it stands: run scripts/partitions archive {name}")
            manifest = manifest_of(text, storage.address(manifest_key))
            if (manifest.rows, manifest.rows_sha256) != (digest.rows, digest.sha256):
                raise ArchiveDamaged(f"{storage.address(manifest_key)} describes other rows than {name} has")
            verify_object(storage, manifest, Path(folder))
            connection.execute(sql.SQL("DROP TABLE {}").format(table))
    except psycopg.errors.LockNotAvailable as cause:
        raise StoreUnavailable(f"{name} is in use: it was not dropped, try again later") from cause
    return manifest


def drop_unarchived(connection: Connection, name: PartitionName) -> int:
    """Drop a detached partition whatever the archive holds; returns how many rows went with it."""
    table = sql.Identifier(DETACHED, str(name))
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '2s'")
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
            row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
            connection.execute(sql.SQL("DROP TABLE {}").format(table))
    except psycopg.errors.LockNotAvailable as cause:
        raise StoreUnavailable(f"{name} is in use: it was not dropped, try again later") from cause
    return int(row[0]) if row else 0


def _write(connection: Connection, name: PartitionName, kind: ArchiveFormat, path: Path, now: datetime) -> Manifest:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        columns = columns_of_table(connection, DETACHED, str(name))
        version = connection.execute("SELECT version_num FROM schema_migrations").fetchone()
        table = sql.Identifier(DETACHED, str(name))
        digest = write_file(path, kind, arrow_schema(columns), table_batches(connection, table, name, columns))
    return Manifest(
        partition=str(name),
        history=name.history,
        day=name.day,
        times=name.times,
        begins=nz_midnight(name.day),
        ends=nz_midnight(name.day + timedelta(days=1)),
        rows=digest.rows,
        columns=columns,
        row_key=("id", name.event_column),
        format=kind,
        key=f"{key_stem(name, digest.sha256)}.{kind.ending}",
        size_bytes=path.stat().st_size,
        sha256=_sha256_of(path),
        rows_sha256=digest.sha256,
        schema_version=version[0] if version else "",
        archived_at=now,
    )


def _known(storage: ObjectStorage, manifest_key: str, folder: Path) -> Manifest | None:
    """Return the manifest of an archive that lies there whole already, None when there is none or it is damaged."""
    text = storage.text(manifest_key)
    if text is None:
        return None
    try:
        manifest = manifest_of(text, storage.address(manifest_key))
        verify_object(storage, manifest, folder)
    except ArchiveDamaged:
        return None
    return manifest


def _digest_of_table(connection: Connection, name: PartitionName) -> RowsDigest:
    columns = columns_of_table(connection, DETACHED, str(name))
    return digest_of(table_batches(connection, sql.Identifier(DETACHED, str(name)), name, columns))


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
