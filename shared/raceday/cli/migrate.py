"""`migrate`: brings the server's schema forward, or back to an earlier version."""

from __future__ import annotations

from typing import Annotated

import typer

from raceday.cli.operations_ground import database_here, say
from raceday.errors import ConfigError
from raceday.store.postgres.migrate import migrate_down, migrate_up, newest_version, refuse_unreachable, schema_version


def migrate(
    down_to: Annotated[
        str, typer.Option("--down-to", help="take the schema back to a version (0007), base for none: rows are lost")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="with --down-to: do it")] = False,
) -> None:
    """Bring the schema to this RaceDay's version, as `serve` does at its start, or with --down-to back to another."""
    with database_here() as (database_url, _):
        before = schema_version(database_url)
        if not down_to:
            migrate_up(database_url)
        elif not yes:
            refuse_unreachable(before, down_to)
            raise ConfigError(
                f"the schema is at {before}; going back to {down_to} loses what later versions keep. Make a backup, "
                "end every server, and add --yes"
            )
        else:
            migrate_down(database_url, down_to)
        say(
            f"schema {schema_version(database_url) or 'none'}, was {before or 'none'}; the newest is {newest_version()}"
        )
