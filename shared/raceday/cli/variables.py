"""`variables`: prints the server's variables with what they do, as `.env.example` has them."""

from __future__ import annotations

import typer

from raceday.server.env_example import env_example


def variables() -> None:
    """Print `.env.example`: every variable of the server, what it does, and its default."""
    typer.echo(env_example(), nl=False)
