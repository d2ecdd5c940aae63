"""`serve`: the self-hosted server until Ctrl-C, or one accelerated day on it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvloop
from rich.markup import escape

from raceday.cli.options import chosen_date
from raceday.cli.output import errors_explained, people, print_json
from raceday.cli.served_day import ServedDayPlan, run_served_day
from raceday.clock import SystemClock
from raceday.errors import ConfigError
from raceday.server.collector import calm_collector
from raceday.server.service import Started
from raceday.server.service import serve as run_server
from raceday.server.settings import FeedChoice
from raceday.server.settings_sources import load_server_settings
from raceday.server.world import EverydayFeed
from raceday.simulator.app import simulator_app
from raceday.transport import InProcess


def serve(
    racing_day: Annotated[
        str, typer.Option("--date", help="with --json-once: New Zealand date of the day, YYYY-MM-DD (default: today)")
    ] = "",
    seed: Annotated[int, typer.Option(help="another number models other days (simulator)")] = 1,
    saturday: Annotated[bool, typer.Option("--saturday", help="a Saturday's card every day (simulator)")] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="port of the API, instead of PORT's")] = None,
    json_once: Annotated[
        bool,
        typer.Option(
            "--json-once",
            help="run one accelerated day at the demo's cadence (or RACEDAY_CADENCE), print its figures, end",
        ),
    ] = False,
) -> None:
    """Poll, record and answer the API until Ctrl-C; configured by the environment and .env (see .env.example)."""
    with errors_explained():
        settings = load_server_settings(os.environ, Path.cwd())
        calm_collector()
        if port is not None:
            settings = settings.model_copy(update={"port": port})
        if json_once:
            # Whoever ends the day early must not leave its database behind.
            signal.signal(signal.SIGTERM, _end)
            plan = ServedDayPlan(chosen_date(racing_day), seed, saturday)
            try:
                outcome = run_served_day(settings, plan)
            except KeyboardInterrupt:
                people.print("Interrupted: the day's own database was dropped.", highlight=False)
                raise typer.Exit(130) from None
            print_json(outcome.as_json())
            if not outcome.whole:
                raise typer.Exit(1)
            return
        if racing_day:
            raise ConfigError("--date goes with --json-once: a server follows the days as they come")
        if settings.chosen_feed is FeedChoice.NZTAB:
            simulated = None
        else:
            feed = EverydayFeed(SystemClock().now, seed, saturday=saturday)
            simulated = InProcess(simulator_app(feed))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_server(settings, _tell, simulated=simulated))


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _tell(started: Started) -> None:
    """Say where everything is."""
    people.print(
        f"[bold]RaceDay serves {escape(started.api)}[/]  (with /health and /metrics)\n"
        f"feed      {escape(started.feed)}\n"
        f"database  {escape(started.database)}\n"
        "Ctrl-C stops it in order. What happens follows here as JSON lines.",
        highlight=False,
    )
