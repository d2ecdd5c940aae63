"""`python -m raceday.cli.platform_commands`: the commands that bring the bundle onto a platform, one per script.

Apart from the others, because the server SDK takes most of a second to import.
"""

from __future__ import annotations

import typer

from raceday.cli.build import build
from raceday.cli.deploy import deploy
from raceday.cli.doctor import doctor
from raceday.cli.manifest import manifest
from raceday.cli.setup import setup

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="RaceDay on a platform: its schema, its functions, and whether all is well with both.",
)
app.command()(manifest)
app.command()(build)
app.command()(setup)
app.command()(deploy)
app.command()(doctor)

if __name__ == "__main__":
    app()
