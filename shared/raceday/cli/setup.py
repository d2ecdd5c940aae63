"""`setup`: make the database, tables, columns, indexes and buckets of the catalogue on a platform."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from raceday.cli.output import errors_explained, people
from raceday.cli.platform_options import Endpoint, KeyFile, Project
from raceday.cli.schema_tables import named, show_differences, show_plan, show_refused
from raceday.deployment.credentials import credentials
from raceday.deployment.platform_schema import PlatformSchema, platform_schema
from raceday.deployment.schema_apply import Outcome, apply_plan, look
from raceday.deployment.schema_steps import SchemaPlan, Step
from raceday.deployment.sdk import Platform, connect
from raceday.store.appwrite.settings import DATABASE_ID


def setup(
    endpoint: Endpoint = "",
    project: Project = "",
    key_file: KeyFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan and change nothing")] = False,
) -> None:
    """Make the schema complete, adding what is missing; what would drop something is told and left to you.

    The exit code is 0 when nothing is left to mend, 1 when something is, 2 when the platform lets nobody in.
    """
    with errors_explained():
        platform = connect(credentials(os.environ, endpoint, project, key_file))
        schema = platform_schema(DATABASE_ID)
        plan = look(platform, schema)
        show_plan(people, plan)
        if plan.is_complete:
            people.print(f"Nothing to do: {_contents(schema)}.", highlight=False)
            return
        if dry_run:
            people.print("Nothing was changed: this was a dry run.", highlight=False)
            is_sound = not plan.differences
        else:
            outcome = _applied(platform, schema, plan)
            _show_outcome(schema, plan, outcome)
            is_sound = outcome.is_complete
    if not is_sound:
        raise typer.Exit(1)


def _applied(platform: Platform, schema: PlatformSchema, plan: SchemaPlan) -> Outcome:
    """Take the plan's steps, showing on a terminal which one is under way."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=people, transient=True, disable=not people.is_terminal)
    with bar:
        task = bar.add_task("", total=len(plan.steps))

        def on_step(step: Step) -> None:
            bar.update(task, description=named(step), advance=1)

        return apply_plan(platform, schema, plan, on_step)


def _show_outcome(schema: PlatformSchema, plan: SchemaPlan, outcome: Outcome) -> None:
    """Print what came of it; the plan's own differences were printed with the plan."""
    left = outcome.left
    show_refused(people, outcome.refused)
    show_differences(people, (difference for difference in left.differences if difference not in plan.differences))
    if left.being_made:
        people.print(
            f"[bold red]Not made in time:[/] columns or indexes of {', '.join(left.being_made)}. Is the platform's "
            "worker for databases running? Run scripts/setup again.",
            highlight=False,
        )
    if left.steps:
        missing = ", ".join(named(step) for step in left.steps)
        people.print(f"[bold red]Not done:[/] {missing}. Run scripts/setup again.", highlight=False)
    if left.is_complete:
        people.print(f"[bold green]The schema is complete:[/] {_contents(schema)}.", highlight=False)
    elif left.differences:
        people.print(f"[bold red]Left to you:[/] {len(left.differences)}, see above.", highlight=False)


def _contents(schema: PlatformSchema) -> str:
    buckets = ", ".join(bucket.bucket_id for bucket in schema.buckets)
    return f"database {schema.database_id} with {len(schema.tables)} tables, and the bucket {buckets}"
