"""`restore`: a database as a backup has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raceday.cli.operations_ground import database_here, say
from raceday.clock import SystemClock
from raceday.server.operations.restore import restore_backup


def restore(
    file: Annotated[Path, typer.Argument(help="backup made by scripts/backup, or any dump in pg_dump's custom format")],
    replace: Annotated[
        bool, typer.Option("--replace", help="take the place of a database that holds rows; that one is renamed")
    ] = False,
) -> None:
    """Restore a backup beside the database, compare every table, and then give it the database's name.

    Stop the servers first. Until the last step the database is as it was; a database that holds rows is never
    dropped.
    """
    with database_here() as (database_url, _):
        restored = restore_backup(database_url, file, SystemClock().now(), say, replace=replace)
        how = "every table compared" if restored.compared else "with nothing to compare it to but pg_restore's own word"
        say(f"{restored.database} holds {restored.rows} rows of {restored.tables} tables, {how}")
        if restored.replaced:
            say(f'what it was is now {restored.replaced}; when it is not needed: DROP DATABASE "{restored.replaced}"')
