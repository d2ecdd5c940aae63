"""`deploy`: brings the bundle onto a platform through its API: schema, functions, variables, code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from raceday.cli.deploy_tables import show_deploy_plan, show_live, show_outcomes
from raceday.cli.output import errors_explained, people
from raceday.cli.platform_options import Endpoint, KeyFile, Project
from raceday.cli.schema_tables import show_differences, show_plan, show_refused
from raceday.deployment.build import build_functions
from raceday.deployment.code_upload import Patience
from raceday.deployment.credentials import credentials
from raceday.deployment.deploy import Wanted, differences_left, look_and_plan
from raceday.deployment.deploy_functions import Result, deploy_functions
from raceday.deployment.deploy_plan import DeployPlan, chosen_functions
from raceday.deployment.platform_schema import PlatformSchema, platform_schema
from raceday.deployment.schema_apply import apply_plan, look
from raceday.deployment.schema_steps import SchemaPlan
from raceday.deployment.sdk import Platform, connect
from raceday.deployment.variables import deployable_variables, secrets_in
from raceday.host.bundle import project_manifest
from raceday.store.appwrite.settings import DATABASE_ID


def deploy(  # noqa: PLR0913, PLR0917 (one parameter an option)
    functions: Annotated[
        str | None, typer.Option(help="ids of the functions to deploy, separated by commas (else all)")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan and change nothing there")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="write and upload what seems unchanged, too, even onto a schema that differs"),
    ] = False,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="write secrets again that are there: they cannot be compared")
    ] = False,
    endpoint: Endpoint = "",
    project: Project = "",
    key_file: KeyFile = None,
) -> None:
    """Make the bundle live: build it, complete the schema, then create or update functions, variables and code.

    RaceDay's variables are taken from the environment; one that is not set here is left alone there, and so is a secret
    that is there. Nothing is ever deleted.

    The exit code is 0 when everything is live as it should be, 1 when not, 2 when nothing could be tried.
    """
    with errors_explained():
        access = credentials(os.environ, endpoint, project, key_file)
        wanted = _wanted(functions)
        platform, schema = connect(access), platform_schema(DATABASE_ID)
        schema_plan = look(platform, schema)
        plan = look_and_plan(platform, wanted, is_forced=force, writes_secrets=secrets)
        people.print(f"[bold]{access.endpoint}[/], project {access.project_id}", highlight=False)
        show_plan(people, schema_plan)
        show_deploy_plan(people, plan)
        if dry_run:
            people.print("Nothing was changed there: this was a dry run.", highlight=False)
            is_sound = not schema_plan.differences
        else:
            left = _complete_schema(platform, schema, schema_plan)
            unshown = secrets_in(os.environ, access.key)
            is_sound = _is_fit(left, is_forced=force) and _make_live(platform, wanted, plan, unshown)
            if left.differences:
                people.print(f"[bold red]Left to you:[/] {len(left.differences)} of the schema, see above.",
                             highlight=False)  # fmt: skip
                is_sound = False
            elif is_sound:
                people.print("[bold green]Live as wanted.[/]")
    if not is_sound:
        raise typer.Exit(1)


def _wanted(ids: str | None) -> Wanted:
    """Build the chosen functions and return them with the variables that are set here."""
    variables = deployable_variables(os.environ)
    manifest = project_manifest()
    chosen = chosen_functions(manifest, ids)
    archives = build_functions(manifest, chosen)
    largest = max(len(archive) for archive in archives.values())
    people.print(f"Built {len(archives)} functions; the largest is {largest / 1000:.0f} kB packed.", highlight=False)
    return Wanted(manifest, tuple(chosen), variables, archives)


def _complete_schema(platform: Platform, schema: PlatformSchema, plan: SchemaPlan) -> SchemaPlan:
    """Make what the schema lacks; return what is left. What only people can mend was shown with the plan."""
    if not (plan.steps or plan.being_made):
        return plan
    people.print("Making what the schema lacks ...", highlight=False)
    outcome = apply_plan(platform, schema, plan)
    show_refused(people, outcome.refused)
    show_differences(people, [left for left in outcome.left.differences if left not in plan.differences])
    return outcome.left


def _is_fit(left: SchemaPlan, *, is_forced: bool) -> bool:
    """Return whether the functions may go onto the schema as it is now; say why not."""
    if left.steps or left.being_made:
        people.print("[bold red]The schema is not complete:[/] the functions stay as they are.", highlight=False)
        people.print("    scripts/setup says more and goes on with it", highlight=False)
        return False
    if left.refuses_writes and not is_forced:
        people.print("[bold red]The schema may refuse rows of RaceDay's:[/] the functions stay as they are.",
                     highlight=False)  # fmt: skip
        people.print("    mend what is said above, or deploy all the same with --force", highlight=False)
        return False
    return True


def _make_live(platform: Platform, wanted: Wanted, plan: DeployPlan, secrets: Sequence[str]) -> bool:
    """Carry the plan out, look again, and return whether everything is live as wanted."""
    outcomes = deploy_functions(platform, plan, wanted.archives, Patience(), _tell)
    show_outcomes(people, outcomes, secrets)
    left = differences_left(platform, wanted)
    show_live(people, left)
    went_well = not left and all(outcome.result in {Result.DEPLOYED, Result.UNCHANGED} for outcome in outcomes)
    deployed = sum(outcome.result is Result.DEPLOYED for outcome in outcomes)
    if went_well:
        unchanged = len(outcomes) - deployed
        people.print(f"{deployed} deployed, {unchanged} unchanged.", highlight=False)
    return went_well


def _tell(function_id: str, status: str) -> None:
    people.print(f"  {function_id}: {status}", highlight=False)
