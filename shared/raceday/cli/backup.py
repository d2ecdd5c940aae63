"""`backup`: the whole database in one verified file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raceday.cli.operations_ground import database_here, say
from raceday.cli.output import print_json
from raceday.clock import SystemClock
from raceday.server.operations.backup import back_up


def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="folder of the backups (default: backups in RACEDAY_FOLDER)")
    ] = None,
    keep: Annotated[int, typer.Option(min=0, help="keep so many verified backups, remove older ones; 0: keep all")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print the outcome as one JSON line")] = False,
) -> None:
    """Dump the database with pg_dump, restore the file beside it, and compare every table within one snapshot.

    The file has its name only when it was compared. The database's user needs the right to create a database.
    """
    with database_here() as (database_url, settings):
        made = back_up(database_url, folder or settings.folder / "backups", SystemClock().now(), say, keep)
        contents = made.contents
        say(
            f"{made.path}: {contents.size_bytes} bytes, {contents.rows} rows of {len(contents.tables)} tables, verified"
        )
        for path in made.removed:
            say(f"{path} removed")
        if as_json:
            removed = [str(path) for path in made.removed]
            print_json({"file": str(made.path), "removed": removed, **contents.model_dump(mode="json")})
