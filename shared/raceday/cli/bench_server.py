"""`bench server`: what the self-hosted server costs, from the feed's socket to PostgreSQL and out through the API."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from raceday.cli.output import errors_explained, people, print_json

if TYPE_CHECKING:
    from raceday.server.benchmark.run import ServerFigures

Figures = Mapping[str, float | int | None]


def server(
    moments: Annotated[int, typer.Option(min=3, help="batches of each size; the first one warms up")] = 8,
    seconds: Annotated[float, typer.Option(min=0.5, help="seconds of load on each endpoint")] = 4.0,
    part: Annotated[str, typer.Option(help="polls, api or all")] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Measure polls (1 to 50 races, 0 and 200 ms away), writes, and every endpoint at 10 connections.

    In a scratch database, of the PostgreSQL that DATABASE_URL names or of an embedded one.
    """
    # What the server is made of is loaded by this benchmark alone: the others measure without it.
    from raceday.server.benchmark.run import measure_server  # noqa: PLC0415

    with errors_explained():
        measured = measure_server(os.environ.get("DATABASE_URL", ""), moments, seconds, part)
    _show(measured)
    if as_json:
        print_json(measured.as_json())


def _show(measured: ServerFigures) -> None:
    if measured.polls:
        _print("Polls: milliseconds, medians of batches", [{**batch} for batch in measured.polls])
        _print("One write: milliseconds", [measured.writes])
    if measured.api:
        _print("API at 10 connections", [{"endpoint": name, **figures} for name, figures in measured.api.items()])
    for check in measured.checks():
        people.print(f"{'met   ' if check.met else 'MISSED'} {check}", highlight=False)


def _print(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "endpoint" else "right")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    people.print(table)
