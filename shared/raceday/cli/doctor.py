"""`doctor`: checks everything that a deployment rests on, and says of each problem what helps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from raceday.cli.output import errors_explained, people, print_json
from raceday.cli.platform_options import Endpoint, KeyFile, Project
from raceday.clock import SystemClock
from raceday.deployment.credentials import credentials
from raceday.deployment.doctor import Diagnosis, diagnose
from raceday.deployment.findings import Check
from raceday.deployment.schedules import NextRun
from raceday.domain.racing_day import NZ
from raceday.host.bundle import project_manifest

CANNOT_SAY = 2


def doctor(
    endpoint: Endpoint = "",
    project: Project = "",
    key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what was found as one JSON line")] = False,
) -> None:
    """Check environment, feed, platform, schema, functions, variables, schedules and executions; changes nothing.

    The exit code is 0 when all is well, 1 when something has to be mended, 2 when the platform cannot be looked at.
    """
    with errors_explained():
        access = credentials(os.environ, endpoint, project, key_file)
        diagnosis = diagnose(access, project_manifest(), os.environ, SystemClock().now())
    _show(diagnosis)
    if as_json:
        print_json({"endpoint": access.endpoint, "project": access.project_id, **_as_json(diagnosis)})
    if not diagnosis.saw_platform:
        raise typer.Exit(CANNOT_SAY)
    if not diagnosis.ok:
        raise typer.Exit(1)


def _show(diagnosis: Diagnosis) -> None:
    """Print a line for every check, the next runs, and at the end, where it is seen, what there is to do."""
    people.print(_checks_table(diagnosis.checks))
    if diagnosis.next_runs:
        people.print(_runs_table(diagnosis.next_runs))
    if diagnosis.ok:
        people.print("[bold green]All is well.[/]")
    for finding in sorted(diagnosis.findings, key=lambda one: one.is_problem):
        colour = "red" if finding.is_problem else "yellow"
        line = f"[bold {colour}]{escape(finding.about)}[/] {escape(finding.seen)} → {escape(finding.remedy)}"
        people.print(line, highlight=False)


def _checks_table(checks: tuple[Check, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("seen")
    for check in checks:
        table.add_row(check.title, _verdict(check), escape(check.seen))
    return table


def _verdict(check: Check) -> str:
    if check.problems:
        return f"[red]{check.problems} to mend[/]"
    return "[yellow]see below[/]" if check.findings else "[green]ok[/]"


def _runs_table(runs: tuple[NextRun, ...]) -> Table:
    table = Table(title="Next runs by schedule", title_justify="left", box=SIMPLE_HEAD, padding=0)
    for column in ("function", "schedule", "UTC", "New Zealand"):
        table.add_column(column, no_wrap=True)
    for run in runs:
        utc, local = run.at.astimezone(UTC), run.at.astimezone(NZ)
        table.add_row(run.function_id, run.schedule, f"{utc:%a %d %b %H:%M}", f"{local:%a %d %b %H:%M %Z}")
    return table


def _as_json(diagnosis: Diagnosis) -> Mapping[str, object]:
    return {
        "ok": diagnosis.ok,
        "saw_platform": diagnosis.saw_platform,
        "checks": [
            {"check": check.title, "problems": check.problems, "seen": check.seen} for check in diagnosis.checks
        ],
        "findings": [
            {"about": one.about, "seen": one.seen, "remedy": one.remedy, "problem": one.is_problem}
            for one in diagnosis.findings
        ],
        "next_runs": [
            {"function": run.function_id, "schedule": run.schedule, "at": run.at} for run in diagnosis.next_runs
        ],
    }
