"""`python -m raceday.cli`: one command per script."""

from __future__ import annotations

import typer

from raceday.cli.bench import bench
from raceday.cli.demo import demo
from raceday.cli.replay import replay
from raceday.cli.simulate import simulate
from raceday.cli.status import status

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="RaceDay: a day of Australian and New Zealand racing, polled and recorded.",
)
app.command()(demo)
app.command()(replay)
app.command()(simulate)
app.command()(status)
app.add_typer(bench)

if __name__ == "__main__":
    app()
