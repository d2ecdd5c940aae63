"""A plan of set-up for people: what is made, what is changed, and what only they can mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raceday.deployment.findings import Finding
from raceday.deployment.platform_schema import PlatformColumn
from raceday.deployment.schema_apply import Refused
from raceday.deployment.schema_steps import (
    CreateBucket,
    CreateColumn,
    CreateDatabase,
    CreateIndex,
    CreateTable,
    SchemaPlan,
    Step,
    UpdateBucket,
    UpdateColumn,
    UpdateTable,
)


def show_plan(people: Console, plan: SchemaPlan) -> None:
    """Print the steps and the differences of a plan."""
    if plan.steps:
        table = Table(title="To do", title_justify="left", box=SIMPLE_HEAD, padding=0)
        for heading in ("", "what", "how"):
            table.add_column(heading)
        for row in step_rows(plan.steps):
            table.add_row(*map(escape, row))
        people.print(table)
    if plan.being_made:
        people.print(f"Still being made by the platform: {', '.join(plan.being_made)}", highlight=False)
    show_differences(people, plan.differences)


def show_differences(people: Console, differences: Iterable[Finding]) -> None:
    """Print what set-up leaves as it is, each with its remedy."""
    for difference in differences:
        people.print(f"[bold red]{escape(difference.about)}[/] {escape(difference.seen)}", highlight=False)
        people.print(f"    {escape(difference.remedy)}", highlight=False)


def show_refused(people: Console, refused: Iterable[Refused]) -> None:
    """Print the steps that the platform would not take."""
    for refusal in refused:
        people.print(f"[bold red]{escape(named(refusal.step))}[/] refused: {escape(refusal.why)}", highlight=False)


def step_rows(steps: Iterable[Step]) -> list[tuple[str, str, str]]:
    """Return a row for each step: verb, what, how. The columns and indexes of a new table are counted in its row."""
    steps = list(steps)
    new_tables = {step.table.table_id for step in steps if isinstance(step, CreateTable)}
    columns = Counter(step.table_id for step in steps if isinstance(step, CreateColumn))
    indexes = Counter(step.table_id for step in steps if isinstance(step, CreateIndex))
    rows = []
    for step in steps:
        if isinstance(step, CreateTable):
            table_id = step.table.table_id
            rows.append(("make", named(step), f"{columns[table_id]} columns, {indexes[table_id]} indexes"))
        elif not isinstance(step, CreateColumn | CreateIndex) or step.table_id not in new_tables:
            changes = isinstance(step, UpdateTable | UpdateColumn | UpdateBucket)
            rows.append(("change" if changes else "make", named(step), _how(step)))
    return rows


def named(step: Step) -> str:
    """Return what a step is about."""
    match step:
        case CreateDatabase(database_id):
            return f"database {database_id}"
        case CreateTable(table) | UpdateTable(table):
            return f"table {table.table_id}"
        case CreateColumn(table_id, column) | UpdateColumn(table_id, column):
            return f"column {table_id}.{column.key}"
        case CreateIndex(table_id, index):
            return f"index {table_id}.{index.key}"
        case CreateBucket(bucket) | UpdateBucket(bucket):
            return f"bucket {bucket.bucket_id}"


def _how(step: Step) -> str:
    match step:
        case CreateColumn(_, column):
            return _kind(column)
        case CreateIndex(_, index):
            return f"{index.type} on {', '.join(index.columns)}"
        case UpdateTable(_, _, why) | UpdateColumn(_, _, why) | UpdateBucket(_, _, why):
            return why
        case CreateBucket(bucket):
            return f"{', '.join(bucket.allowed_extensions)}, at most {bucket.maximum_file_size_bytes} bytes a file"
        case _:
            return ""


def _kind(column: PlatformColumn) -> str:
    size = f" of {column.size}" if column.size else ""
    return f"{column.type}{size}{', required' if column.required else ''}"
