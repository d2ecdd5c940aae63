"""`simulate`: the stand-in feed on a loopback port, in real time, for whoever wants to point something at it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from raceday.cli.options import chosen_date, chosen_of
from raceday.cli.output import errors_explained, people
from raceday.clock import SystemClock
from raceday.simulator.app import simulator_app
from raceday.simulator.envelope import BASE_PATH
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from raceday.simulator.serve import serve


def simulate(
    racing_day: Annotated[
        str, typer.Option("--date", help="New Zealand date of the day, YYYY-MM-DD (default: today)")
    ] = "",
    port: Annotated[int, typer.Option(min=1, max=65535, help="loopback port to serve on")] = 8077,
    seed: Annotated[int, typer.Option(help="another number models another day")] = 1,
    saturday: Annotated[bool, typer.Option("--saturday", help="a Saturday's card: 26 meetings, 209 races")] = False,
    faults: Annotated[str, typer.Option(help=f"how the feed misbehaves: {', '.join(PROFILES)}")] = "none",
) -> None:
    """Serve the stand-in feed on a loopback port until Ctrl-C."""
    with errors_explained():
        profile = PROFILES[chosen_of("--faults", faults, PROFILES)]
        programme = plan_day(chosen_date(racing_day), seed, saturday)
        app = simulator_app(SimulatedFeed(programme, SystemClock().now), profile, seed)
    address = f"http://127.0.0.1:{port}{BASE_PATH.removesuffix('/racing')}"
    people.print(
        f"Serving {programme.racing_date}. Point the functions at it: NZTAB_BASE_URL={address}", highlight=False
    )
    asyncio.run(serve(app, "127.0.0.1", port))
