"""A deployment for people: what is going to be done, how it went, and what is not live as it should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raceday.deployment.deploy_functions import Outcome, Result
from raceday.deployment.deploy_plan import DeployPlan, FunctionPlan
from raceday.deployment.function_settings import Difference
from raceday.deployment.variables import hidden

_COLOURS = {Result.FAILED: "red", Result.UNFINISHED: "yellow"}
LOG_TAIL_LINES = 60
"""How much of a failed build's log is shown: what went wrong is at its end."""


def show_deploy_plan(people: Console, plan: DeployPlan) -> None:
    """Print what is going to be done for each function, in that order, and what is left alone."""
    people.print(_plan_table(plan.functions))
    for function in plan.functions:
        for difference in function.differences:
            people.print(f"  {function.function_id}: {escape(str(difference))}", highlight=False)
    for change, ids in _by_change(plan.functions).items():
        people.print(f"  {escape(change)} on {_functions(ids, plan)}", highlight=False)
    for name, ids in _uncompared(plan.functions).items():
        there = f"is there on {_functions(ids, plan)}; cannot be compared: --secrets writes it again"
        people.print(f"  {escape(name)} {there}", highlight=False)
    for name, ids in _kept(plan.functions).items():
        people.print(f"  {escape(name)} is set on {_functions(ids, plan)} and not here: left as it is", highlight=False)
    if plan.foreign:
        people.print(f"  not in appwrite.json, left alone: {', '.join(plan.foreign)}", highlight=False)
    for finding in plan.findings:
        people.print(f"[bold yellow]{escape(finding.about)}[/] {escape(finding.seen)}", highlight=False)
        people.print(f"    {escape(finding.remedy)}", highlight=False)


def show_outcomes(people: Console, outcomes: Iterable[Outcome], secrets: Sequence[str]) -> None:
    """Print what went wrong, with the log of a build that failed; the platform's words may hold `secrets`."""
    for outcome in outcomes:
        if outcome.result not in _COLOURS:
            continue
        colour = _COLOURS[outcome.result]
        line = f"[bold {colour}]{outcome.function_id} {outcome.result}:[/] {escape(hidden(outcome.reason, secrets))}"
        people.print(line, highlight=False)
        for text in hidden(outcome.build_log, secrets).splitlines()[-LOG_TAIL_LINES:]:
            people.print(f"    {escape(text)}", highlight=False)


def show_live(people: Console, differences: Sequence[Difference]) -> None:
    """Print in what the live functions are not as wanted."""
    for difference in differences:
        people.print(f"[bold red]{difference.function_id}[/] {escape(str(difference))}", highlight=False)


def _plan_table(functions: Sequence[FunctionPlan]) -> Table:
    table = Table(title="Functions, in this order", title_justify="left", box=SIMPLE_HEAD, padding=0)
    for heading in ("function", "settings", "variables", "code"):
        table.add_column(heading)
    for function in functions:
        table.add_row(function.function_id, _settings(function), _variables(function), _code(function))
    return table


def _settings(function: FunctionPlan) -> str:
    if function.live is None:
        return "create"
    if function.differences:
        return f"change {len(function.differences)}"
    return "write again" if function.writes_settings else "as wanted"


def _variables(function: FunctionPlan) -> str:
    changes = len(function.variables.changes)
    return f"set {changes}" if changes else "as here"


def _code(function: FunctionPlan) -> str:
    return f"upload: {function.upload}" if function.upload else "unchanged"


def _by_change(functions: Iterable[FunctionPlan]) -> dict[str, list[str]]:
    """Return the functions of each change of a variable, so that one for all of them takes one line."""
    changes: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        for change in function.variables.changes:
            changes[str(change)].append(function.function_id)
    return changes


def _uncompared(functions: Iterable[FunctionPlan]) -> dict[str, list[str]]:
    uncompared: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        for name in function.variables.uncompared:
            uncompared[name].append(function.function_id)
    return uncompared


def _kept(functions: Iterable[FunctionPlan]) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        for name in function.variables.kept:
            kept[name].append(function.function_id)
    return kept


def _functions(ids: Sequence[str], plan: DeployPlan) -> str:
    everywhere = len(ids) == len(plan.functions) and len(ids) > 1
    return "all of them" if everywhere else ", ".join(ids)
