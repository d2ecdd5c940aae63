"""What a plan of set-up is made of: steps that only add, and differences that are told and left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from raceday.deployment.findings import Finding
from raceday.deployment.platform_schema import PlatformColumn, PlatformIndex, PlatformTable
from raceday.store.tables.buckets import Bucket


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """Make the database."""

    database_id: str


@dataclass(frozen=True, slots=True)
class CreateTable:
    """Make a table, without columns."""

    table: PlatformTable


@dataclass(frozen=True, slots=True)
class UpdateTable:
    """Give a table the permissions and the row security that it should have; `enabled` is what it is."""

    table: PlatformTable
    enabled: bool
    why: str


@dataclass(frozen=True, slots=True)
class CreateColumn:
    """Make a column."""

    table_id: str
    column: PlatformColumn


@dataclass(frozen=True, slots=True)
class UpdateColumn:
    """Widen a column, or give it its default."""

    table_id: str
    column: PlatformColumn
    why: str


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """Make an index, once its columns are available."""

    table_id: str
    index: PlatformIndex


@dataclass(frozen=True, slots=True)
class CreateBucket:
    """Make a bucket."""

    bucket: Bucket


@dataclass(frozen=True, slots=True)
class UpdateBucket:
    """Give a bucket the permissions and limits that it should have; `kept` is what stays as it is."""

    bucket: Bucket
    kept: Mapping[str, object]
    why: str


Step = (
    CreateDatabase | CreateTable | UpdateTable | CreateColumn | UpdateColumn | CreateIndex | CreateBucket | UpdateBucket
)
IN_ORDER = (
    CreateDatabase,
    CreateTable,
    UpdateTable,
    CreateColumn,
    UpdateColumn,
    CreateIndex,
    CreateBucket,
    UpdateBucket,
)
"""How steps follow each other: an index needs its columns, a column its table."""


@dataclass(frozen=True, slots=True)
class SchemaPlan:
    """Steps in the order to take them, differences, and the tables in which something is still being made."""

    steps: tuple[Step, ...] = ()
    differences: tuple[Finding, ...] = ()
    being_made: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the platform has all of the schema."""
        return not (self.steps or self.differences or self.being_made)

    @property
    def refuses_writes(self) -> bool:
        """Whether a difference keeps rows of RaceDay's from being written."""
        return any(difference.refuses_writes for difference in self.differences)
