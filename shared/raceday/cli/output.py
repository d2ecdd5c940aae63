"""What every command prints alike: errors that say what to do, progress for people, one JSON line for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from raceday.errors import ConfigError, RaceDayError

people = Console(stderr=True, soft_wrap=True)
"""Progress and summaries go to standard error, so that standard output holds nothing but the JSON line."""


def print_json(answer: Mapping[str, object]) -> None:
    """Print one JSON object as the last line of standard output."""
    typer.echo(orjson.dumps(answer).decode())


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn errors raised on purpose into one line and exit code 2 (configuration) or 1 (anything else)."""
    try:
        yield
    except ConfigError as error:
        people.print(f"[bold red]Cannot start:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        people.print("Interrupted: what was done so far is in the database.", highlight=False)
        raise typer.Exit(130) from None
    except RaceDayError as error:
        people.print(f"[bold red]Failed:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(1) from None
