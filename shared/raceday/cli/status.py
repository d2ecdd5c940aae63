"""`status`: how RaceDay is doing, from what its store holds; fit to be a health check."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from raceday.cli.output import errors_explained, people, print_json
from raceday.cli.platform_options import Endpoint, KeyFile, Project
from raceday.cli.status_place import Place, Wanted, is_of_a_demo, place_of
from raceday.cli.status_tables import show_report
from raceday.cli.status_unbegun import begun
from raceday.clock import SystemClock
from raceday.domain.health import Target
from raceday.domain.racing_day import NZ
from raceday.errors import ConfigError, StoreUnavailable
from raceday.jobs.health_json import health_json
from raceday.jobs.health_report import HealthPlan, HealthReport, health_report
from raceday.runtime.functions import FUNCTIONS
from raceday.runtime.settings import Settings, load_settings
from raceday.store.ports import RaceStore


def status(  # noqa: PLR0913, PLR0917 (one parameter an option)
    db: Annotated[
        Path | None,
        typer.Option(help="SQLite file to look at (else RACEDAY_DB, an Appwrite project, .raceday/demo.sqlite)"),
    ] = None,
    appwrite: Annotated[
        bool,
        typer.Option("--appwrite", help="look at an Appwrite project (also without, when APPWRITE_ENDPOINT is set)"),
    ] = False,
    endpoint: Endpoint = "",
    project: Project = "",
    key_file: KeyFile = None,
    at: Annotated[str, typer.Option(help="look as of this instant, such as 2026-11-22T04:00:00Z (default: now)")] = "",
    every_race: Annotated[bool, typer.Option("--all", help="show the coverage of every race")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON line")] = False,
) -> None:
    """Say how RaceDay is doing: functions, races, coverage, quality, backlog, and what is wrong.

    The exit code is 0 when all is well, 1 when something is wrong, 2 when nothing can be looked at. Of Appwrite it
    needs a key with the scope rows.read.
    """
    with errors_explained():
        settings = load_settings(os.environ)
        place = place_of(Wanted(db, appwrite, endpoint, project, key_file), settings, os.environ)
        try:
            report, as_of = asyncio.run(_look(place, _instant(at), settings))
        except StoreUnavailable as error:
            # 1 would say that something was seen to be wrong; nothing was seen.
            raise place.explained(error) from None
        except ValueError as error:
            raise ConfigError(f"{place.name} holds a row that cannot be read: {error}") from None
    people.print(f"[bold]{escape(place.name)}[/] {as_of}", highlight=False)
    show_report(people, report, every_race=every_race)
    if as_json:
        print_json({**health_json(report), "db": place.name})
    if not report.ok:
        raise typer.Exit(1)


def _instant(text: str) -> datetime | None:
    """Return the instant of `--at`, or None; raises `ConfigError` for anything but an instant with its zone."""
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text} is not an instant: write it as 2026-11-22T04:00:00Z") from None
    if instant.tzinfo is None:
        raise ConfigError(f"--at {text} names no zone: append Z for UTC, or an offset such as +13:00")
    return instant.astimezone(UTC)


async def _look(place: Place, at: datetime | None, settings: Settings) -> tuple[HealthReport, str]:
    """Return the report and, in words, the instant that it is about."""
    async with place.opened() as store:
        as_of = ""
        if at is None and is_of_a_demo(store):
            at = await _last_run(store)
            as_of = " (the end of its last run: a demo or replay made it)"
        at = at or SystemClock().now()
        report = begun(await health_report(store, at, _plan(settings)))
        return report, f"as of {at.astimezone(NZ):%a %d %b %Y %H:%M:%S %Z}{as_of}"


def _plan(settings: Settings) -> HealthPlan:
    targets = {function_id: Target(spec.success_pct, spec.longest_s) for function_id, spec in FUNCTIONS.items()}
    return HealthPlan(targets, settings.quality_threshold, settings.retention_days, settings.sweep_minutes)


async def _last_run(store: RaceStore) -> datetime:
    """Return when the last run of a demo or replay ended, by its own clock."""
    for_ever = datetime.max.replace(tzinfo=UTC)
    runs = await store.function_runs(tuple(FUNCTIONS), for_ever, for_ever)
    ends = [runs_of.last.ended_at for runs_of in runs.values() if runs_of.last is not None]
    return max(ends, default=SystemClock().now())
