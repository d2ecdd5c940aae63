"""Brings archived days back into their tables, row for row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
from psycopg import sql

from raceday.server.operations.archive import verify_object
from raceday.server.operations.archive_files import read_file
from raceday.server.operations.archive_manifest import MANIFEST_ENDING, Manifest, manifest_of
from raceday.server.operations.connections import Connection
from raceday.server.operations.errors import ArchiveDamaged, RestoreRefused
from raceday.server.operations.object_storage import ObjectStorage
from raceday.server.operations.partition_names import EVENT_COLUMNS, PartitionName
from raceday.server.operations.partitions import make_partition
from raceday.server.operations.table_rows import arrow_schema, columns_of_table, digest_of, table_batches

MOVES_WITHIN = timedelta(days=2)
"""A bucket's row moves with its race's last poll: over midnight, hardly further."""
_INCOMING = "restored_rows"


@dataclass(frozen=True, slots=True)
class Restored:
    """A day that is attached again. `known` rows were in its table before; of them `differing` say something else."""

    manifest: Manifest
    inserted: int
    known: int
    differing: int


def archived(storage: ObjectStorage) -> list[Manifest]:
    """Return the manifests of everything in the archive, by day; what was archived last of a day comes first."""
    keys = [key for history in EVENT_COLUMNS for key in storage.keys(f"{history}/") if key.endswith(MANIFEST_ENDING)]
    manifests = [manifest_of(text, storage.address(key)) for key in keys if (text := storage.text(key)) is not None]
    manifests.sort(key=lambda manifest: manifest.archived_at, reverse=True)
    return sorted(manifests, key=lambda manifest: PartitionName(manifest.day, manifest.history))


def restore_partition(connection: Connection, storage: ObjectStorage, manifest: Manifest) -> Restored:
    """Put an archived day back into its table, in a partition of its own or beside the rows of one that is there.

    The object is verified first. A row that the database has already stays as it is. One transaction: when anything
    fails, nothing was inserted. Raises `ArchiveDamaged`, or `RestoreRefused` when the rows do not fit the database.
    """
    with TemporaryDirectory(prefix="raceday-restore-") as folder:
        path = verify_object(storage, manifest, Path(folder))
        # Apart from the rows, because it locks out whoever writes runners.
        make_partition(connection, manifest.history, manifest.day)
        try:
            with connection.transaction():
                return _insert(connection, manifest, path)
        except psycopg.errors.ForeignKeyViolation as cause:
            raise RestoreRefused(
                f"{manifest.partition} has runners that the database no longer knows ({cause.diag.message_detail}): "
                "restore their meetings, races and runners from a backup first"
            ) from cause


def _insert(connection: Connection, manifest: Manifest, path: Path) -> Restored:
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in manifest.columns)
    parent = sql.Identifier(manifest.history)
    incoming = sql.Identifier(_INCOMING)
    event_column = sql.Identifier(manifest.name.event_column)
    _refuse_other_columns(connection, manifest)
    partition = sql.Identifier(str(PartitionName(manifest.day, manifest.history)))
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS 'restored'").format(partition))
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            incoming, names, parent
        )
    )
    _copy(connection, sql.SQL("COPY {} ({}) FROM STDIN").format(incoming, names), manifest, path)
    digest = digest_of(table_batches(connection, incoming, manifest.name, manifest.columns))
    if digest.sha256 != manifest.rows_sha256:
        raise ArchiveDamaged(f"{manifest.partition} did not reach the database as it is in the archive")
    connection.execute(sql.SQL("CREATE INDEX ON {} (id)").format(incoming))
    # A row that moved to another day meanwhile, as a bucket does whose race went on, is there already as well.
    inserted = connection.execute(
        sql.SQL(
            "INSERT INTO {} ({}) SELECT {} FROM {} AS archived WHERE NOT EXISTS ("
            "SELECT FROM {} AS stored WHERE stored.id = archived.id AND stored.{} >= %s AND stored.{} < %s"
            ") ON CONFLICT DO NOTHING"
        ).format(parent, names, names, incoming, parent, event_column, event_column),
        (manifest.begins - MOVES_WITHIN, manifest.ends + MOVES_WITHIN),
    ).rowcount
    differing = _differing(connection, manifest)
    known = manifest.rows - inserted
    if differing > known:
        raise RestoreRefused(f"{differing} rows of {manifest.partition} are not in the database as they were archived")
    return Restored(manifest, inserted, known, differing)


def _copy(connection: Connection, statement: sql.Composed, manifest: Manifest, path: Path) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in read_file(path, manifest.format, arrow_schema(manifest.columns)):
            for row in _rows(batch):
                copy.write_row(row)


def _rows(batch: pa.RecordBatch) -> zip[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _refuse_other_columns(connection: Connection, manifest: Manifest) -> None:
    """A column that came later is left empty; one that went, or changed its type, has no place for its values."""
    now = {column.name: column.type for column in columns_of_table(connection, "public", manifest.history)}
    lost = [column.name for column in manifest.columns if now.get(column.name) != column.type]
    if lost:
        raise RestoreRefused(
            f"{manifest.history} has no such columns any more: {', '.join(lost)}; restore into a database of schema "
            f"{manifest.schema_version}"
        )


def _differing(connection: Connection, manifest: Manifest) -> int:
    """Return how many rows of the archive the database does not have, or has with other values."""
    compared = sql.SQL(", ").join(sql.Identifier(column.name) for column in manifest.columns)
    event_column = sql.Identifier(manifest.name.event_column)
    row = connection.execute(
        sql.SQL(
            "SELECT count(*) FROM (SELECT {} FROM {} EXCEPT SELECT {} FROM {} WHERE {} >= %s AND {} < %s) AS missing"
        ).format(
            compared, sql.Identifier(_INCOMING), compared, sql.Identifier(manifest.history), event_column, event_column
        ),
        (manifest.begins, manifest.ends),
    ).fetchone()
    return int(row[0]) if row else 0
