"""The health report for people: a few tables and lines on standard error."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raceday.cli.coverage_table import SHOWN_RACES, coverage_table, coverage_title
from raceday.domain.health import FunctionRuns, Health, StageHealth
from raceday.domain.racing_day import NZ
from raceday.jobs.health_report import HealthReport
from raceday.jobs.verdicts import success_text


def show_report(people: Console, report: HealthReport, *, every_race: bool) -> None:
    """Print the report: functions, coverage, the other figures, and what is wrong at the end, where it is seen."""
    health = report.health
    people.print(_functions_table(health))
    if every_race or any(coverage.missing for coverage in health.coverage):
        people.print(coverage_table(health.coverage, limit=None if every_race else SHOWN_RACES))
    else:
        people.print(coverage_title(health.coverage), style="italic", highlight=False)
    people.print(_figures_table(health))
    if report.ok:
        people.print("[bold green]All is well.[/]")
    for problem in report.problems:
        people.print(f"[bold red]{escape(problem.about)}[/] {escape(problem.seen)}", highlight=False)
        people.print(f"    {escape(problem.advice)}", highlight=False)


def _functions_table(health: Health) -> Table:
    title = "Functions, last 24 hours (durations in seconds)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("function", no_wrap=True)
    table.add_column("last run", no_wrap=True)
    for column in ("code", "runs", "ok %", "wanted", "mean", "longest", "allowed"):
        table.add_column(column, justify="right", no_wrap=True)
    for runs in health.functions:
        table.add_row(*_function_row(runs, health.at))
    return table


def _function_row(runs: FunctionRuns, at: datetime) -> tuple[str, ...]:
    target = runs.target
    failing = runs.success_pct is not None and runs.success_pct < target.success_pct
    slow = runs.longest_s is not None and target.longest_s is not None and runs.longest_s > target.longest_s
    return (
        runs.function,
        _when(runs.last.started_at, at) if runs.last is not None else "-",
        str(runs.last.status_code) if runs.last is not None else "-",
        str(runs.runs),
        _marked(success_text(runs), "red", wanted=failing),
        str(target.success_pct),
        _seconds(runs.mean_s),
        _marked(_seconds(runs.longest_s), "yellow", wanted=slow),
        "-" if target.longest_s is None else f"{target.longest_s:g}",
    )


def _figures_table(health: Health) -> Table:
    table = Table(box=None, show_header=False)
    table.add_row("races", _races(health))
    table.add_row("polls", _polls(health))
    table.add_row("quality", _quality(health))
    table.add_row("throttling", _throttling(health))
    table.add_row("stages", ", ".join(_stage(stage, health.at) for stage in health.stages))
    table.add_row("swept up to", _sweeps(health))
    waiting = (
        f"evaluations of alerts to finish {health.backlog.alerts}, notifications to send {health.backlog.deliveries}"
    )
    table.add_row("backlog", waiting)
    kept = health.retention.history_from
    dropped = "nothing dropped so far" if kept is None else f"history from {kept.astimezone(NZ):%d %b %Y} on is kept"
    table.add_row("retention", f"{health.retention.days} days; {dropped}")
    return table


def _races(health: Health) -> str:
    started, unfinished = health.started, health.unfinished
    closed = sum(1 for race in started if race.closed)
    shown = f"{len(started)} started, {len(unfinished)} of them not over; {closed} closing snapshots"
    if not unfinished:
        return shown
    oldest = unfinished[0]
    return f"{shown}; longest under way: {escape(oldest.label)} since {_when(oldest.advertised_start, health.at)}"


def _polls(health: Health) -> str:
    polls = health.polls
    failed = ", ".join(f"{escape(tally.kind)} {tally.polls}" for tally in health.failures)
    made = (
        f"{polls.polls}, {polls.double_polls} double, {polls.late_polls} late; "
        f"95 % within {polls.lateness_p95_s} s of their second"
    )
    return f"{made if polls.polls else 'no polls'}; in poll_logs: {failed or 'nothing'}"


def _quality(health: Health) -> str:
    quality = health.quality
    degraded = ", ".join(f"{name.replace('_', ' ')} {polls}" for name, polls in quality.degraded.items())
    scores = "no polls" if quality.p5 is None else f"5 % score {quality.p5} or less, half {quality.p50} or less"
    return f"{scores}; marked as degraded: {degraded or 'none'} (threshold {quality.threshold})"


def _throttling(health: Health) -> str:
    tally = health.throttling
    runs = ", ".join(f"{runs.function} {runs.throttled}" for runs in health.functions if runs.throttled)
    polls = "no polls" if tally is None else f"{tally.polls} polls, last {_when(tally.last_at, health.at)}"
    return f"{polls}; runs that report it: {runs or 'none'}"


def _stage(stage: StageHealth, at: datetime) -> str:
    if stage.complete:
        return f"{stage.stage} complete"
    if stage.due_at > at:
        return f"{stage.stage} due at {stage.due_at.astimezone(NZ):%H:%M %Z}"
    return f"[yellow]{stage.stage} {'never started' if stage.progress is None else 'not complete'}[/]"


def _sweeps(health: Health) -> str:
    every_minutes = health.sweeps.every_minutes
    marks = ", ".join(
        f"{function} {'never' if swept_to is None else _when(swept_to, health.at)}"
        for function, swept_to in health.sweeps.swept_to.items()
    )
    return f"{marks}; {f'every {every_minutes} min' if every_minutes else 'sweeps are switched off'}"


def _when(instant: datetime, at: datetime) -> str:
    """Return the clock time in New Zealand; with the weekday when it is another day, the date when it is long ago."""
    local = instant.astimezone(NZ)
    if local.date() == at.astimezone(NZ).date():
        return f"{local:%H:%M:%S}"
    return f"{local:%a %H:%M}" if at - instant < timedelta(days=6) else f"{local:%d.%m.%Y}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"


def _marked(text: str, colour: str, *, wanted: bool) -> str:
    return f"[{colour}]{text}[/]" if wanted else text
