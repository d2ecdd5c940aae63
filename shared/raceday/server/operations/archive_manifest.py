"""The manifest beside every archived partition: what it is, and how to know that it is whole."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from raceday.server.operations.archive_files import ArchiveFormat
from raceday.server.operations.errors import ArchiveDamaged
from raceday.server.operations.partition_names import PartitionName, parse_name
from raceday.server.operations.table_rows import ARROW_TYPES, ColumnType

MANIFEST_ENDING = ".json"
MANIFEST_VERSION = 1
_HASH_IN_KEY = 16


class Manifest(BaseModel):
    """One archived partition.

    `begins` and `ends` bound its instants, the end not included. `sha256` is the object's, `rows_sha256` that of the
    rows in the order of their key (see `RowsDigest`), so that it is the same for every format. `key` is where the
    object lies under the archive's prefix.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    manifest_version: int = MANIFEST_VERSION
    partition: str
    history: str
    day: date
    times: int
    begins: datetime
    ends: datetime
    rows: int
    columns: tuple[ColumnType, ...]
    row_key: tuple[str, str]
    format: ArchiveFormat
    key: str
    size_bytes: int
    sha256: str
    rows_sha256: str
    schema_version: str
    archived_at: datetime

    @property
    def name(self) -> PartitionName:
        """The partition that this was."""
        return PartitionName(self.day, self.history, self.times)


def key_stem(name: PartitionName, rows_sha256: str) -> str:
    """Return where a partition with these rows lies, without the ending: other rows never overwrite it."""
    return f"{name.history}/{name}-{rows_sha256[:_HASH_IN_KEY]}"


def manifest_of(text: str, address: str) -> Manifest:
    """Read a manifest; raises `ArchiveDamaged` when it is none, or one of a newer kind."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as cause:
        raise ArchiveDamaged(
            f"{address} is no manifest of an archive: {cause.error_count()} fields are wrong"
        ) from cause
    if manifest.manifest_version > MANIFEST_VERSION:
        raise ArchiveDamaged(f"{address} was written by a newer RaceDay: restore it with that one")
    unknown = [column.type for column in manifest.columns if column.type not in ARROW_TYPES]
    if parse_name(manifest.partition) != manifest.name or unknown:
        raise ArchiveDamaged(f"{address} describes no partition of a history: {manifest.partition} {unknown or ''}")
    return manifest
