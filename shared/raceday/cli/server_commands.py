"""`python -m raceday.cli.server_commands`: the self-hosted server and its upkeep, one command per script.

Apart from the others, because what serves an API and speaks to PostgreSQL takes most of a second to import.
"""

from __future__ import annotations

import typer

from raceday.cli.backup import backup
from raceday.cli.migrate import migrate
from raceday.cli.partitions import app as partitions
from raceday.cli.restore import restore
from raceday.cli.serve import serve
from raceday.cli.variables import variables

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="RaceDay as a server of its own: it polls, keeps races in PostgreSQL and answers a REST API.",
)
app.command()(serve)
app.command()(variables)
app.command()(migrate)
app.command()(backup)
app.command()(restore)
app.add_typer(partitions, name="partitions")

if __name__ == "__main__":
    app()
