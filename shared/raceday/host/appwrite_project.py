"""A project of the stand-in Appwrite in which everything is done: set up from the catalogue, all functions deployed.

What `scripts/setup` and `appwrite push` take minutes for is put into the project's state at once, but through the
platform's own checks: a table that would be refused there is refused here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.columns import column_of
from raceday.simulator.appwrite.deployments import Deployment
from raceday.simulator.appwrite.files import Bucket
from raceday.simulator.appwrite.functions import Function, settings_of
from raceday.simulator.appwrite.indexes import index_of
from raceday.simulator.appwrite.project import Project
from raceday.simulator.appwrite.tables import Database, Table
from raceday.store.tables import CATALOGUE
from raceday.store.tables.buckets import BUCKETS

if TYPE_CHECKING:
    from datetime import datetime

    from raceday.host.manifest import FunctionManifest, Manifest
    from raceday.store.tables import Column as CatalogueColumn
    from raceday.store.tables import Table as CatalogueTable
    from raceday.store.tables.buckets import Bucket as CatalogueBucket

_DONE_BEFORE = timedelta(minutes=5)
"""How long ago it was all done: columns are available and builds have ended."""
_LARGEST = 2**53 - 1
"""The bound of every number, as set-up makes it."""
_COLUMN_KINDS = {"text": "string", "integer": "integer", "float": "float", "boolean": "boolean", "datetime": "datetime"}


def deployed_project(manifest: Manifest, now: datetime) -> Project:
    """Return a project with the catalogue's tables and buckets, empty, and the manifest's functions, ready to run.

    Raises `PlatformError` for what the platform would refuse.
    """
    done_at = now - _DONE_BEFORE
    project = Project(manifest.project_id)
    database = Database(manifest.database_id, 1, manifest.databases[0].name, enabled=True, created_at=done_at)
    project.databases[database.database_id] = database
    for table in CATALOGUE:
        database.tables[table.name] = _table(table, database, done_at)
    for bucket in BUCKETS:
        project.buckets[bucket.bucket_id] = _bucket(bucket, done_at)
    for function in manifest.functions:
        project.functions[function.function_id] = _function(project, function, done_at)
    return project


def _table(wanted: CatalogueTable, database: Database, at: datetime) -> Table:
    table = Table(
        database_id=database.database_id,
        database_sequence=database.sequence,
        table_id=wanted.name,
        sequence=len(database.tables) + 1,
        name=wanted.name,
        permissions=list(wanted.permissions),
        row_security=wanted.row_security,
        enabled=True,
        created_at=at,
        updated_at=at,
    )
    for column in wanted.columns:
        table.add_column(column_of(_COLUMN_KINDS[column.kind], _asked(column), at))
    is_made = dict.fromkeys(table.columns, True)
    for index in wanted.indexes:
        columns = list(index.columns)
        asked = {"key": index.name, "type": index.kind, "columns": columns, "orders": ["ASC"] * len(columns)}
        table.add_index(index_of(asked, table.columns, is_made, table.place, at))
    return table


def _asked(column: CatalogueColumn) -> dict[str, object]:
    """Return the body of the call that would make a column."""
    asked: dict[str, object] = {"key": column.name, "required": column.required, "default": column.default}
    if column.kind == "text":
        asked["size"] = column.size
    elif column.kind in {"integer", "float"}:
        asked |= {"min": -_LARGEST, "max": _LARGEST}
    return asked


def _bucket(wanted: CatalogueBucket, at: datetime) -> Bucket:
    return Bucket(
        bucket_id=wanted.bucket_id,
        name=wanted.bucket_id,
        permissions=list(wanted.permissions),
        file_security=False,
        enabled=True,
        maximum_size=wanted.maximum_file_size_bytes,
        extensions=list(wanted.allowed_extensions),
        created_at=at,
        updated_at=at,
    )


def _function(project: Project, function: FunctionManifest, at: datetime) -> Function:
    asked = {**function.api_settings(), "specification": function.specification}
    settings = settings_of(asked, project.specification, is_old_client=True)
    made = Function(function.function_id, settings, created_at=at, updated_at=at)
    deployment = Deployment(
        deployment_id=project.new_id(),
        function_id=function.function_id,
        entrypoint=function.entrypoint,
        commands=function.commands,
        code=b"",
        activates=True,
        created_at=at,
    )
    made.deployments[deployment.deployment_id] = deployment
    return made
