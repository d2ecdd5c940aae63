"""`simulate`: the stand-in feed or Appwrite on a port, in real time, for whoever wants to point something at it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from raceday.cli.options import chosen_date, chosen_of
from raceday.cli.output import errors_explained, people
from raceday.clock import SystemClock
from raceday.simulator.app import simulator_app
from raceday.simulator.appwrite.app import appwrite_app
from raceday.simulator.appwrite.project import Project
from raceday.simulator.envelope import BASE_PATH
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from raceday.simulator.serve import serve

KEY = "standard_simulated"


def simulate(  # noqa: PLR0913, PLR0917 (one parameter an option)
    racing_day: Annotated[
        str, typer.Option("--date", help="New Zealand date of the day, YYYY-MM-DD (default: today)")
    ] = "",
    port: Annotated[int, typer.Option(min=1, max=65535, help="port to serve on")] = 8077,
    host: Annotated[str, typer.Option(help="address to serve on; containers do not reach loopback")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="another number models another day")] = 1,
    saturday: Annotated[bool, typer.Option("--saturday", help="a Saturday's card: 26 meetings, 209 races")] = False,
    faults: Annotated[str, typer.Option(help=f"how the feed misbehaves: {', '.join(PROFILES)}")] = "none",
    appwrite: Annotated[
        bool, typer.Option("--appwrite", help="an empty stand-in Appwrite instead, which runs no functions")
    ] = False,
) -> None:
    """Serve the stand-in feed, or a stand-in Appwrite to try setup, deploy and doctor on, until Ctrl-C."""
    with errors_explained():
        if appwrite:
            project = Project("raceday")
            project.keys.add(KEY)
            app = appwrite_app(project, SystemClock())
            told = f"APPWRITE_ENDPOINT=http://{host}:{port}/v1 APPWRITE_PROJECT_ID=raceday APPWRITE_API_KEY={KEY}"
        else:
            profile = PROFILES[chosen_of("--faults", faults, PROFILES)]
            programme = plan_day(chosen_date(racing_day), seed, saturday)
            app = simulator_app(SimulatedFeed(programme, SystemClock().now), profile, seed)
            address = f"http://{host}:{port}{BASE_PATH.removesuffix('/racing')}"
            told = f"{programme.racing_date}. Point the functions at it: NZTAB_BASE_URL={address}"
    people.print(f"Serving {told}", highlight=False)
    asyncio.run(serve(app, host, port))
