"""What is wrong, in words, and what to do about it: the figures held against their limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from raceday.domain.coverage import worst_first
from raceday.domain.health import LOOKED_BACK, FunctionRuns, Health

CLOCKWORKS = ("master-race-scheduler", "race-data-poller")
"""Either of them keeps the races polled: the scheduler, or the classic poller where that was chosen instead."""
SILENCE = timedelta(minutes=3)
JUDGED_RUNS = 20
"""Of fewer runs (or polls) a single one that went wrong would be a verdict."""
UNFINISHED = timedelta(minutes=60)
DEGRADED_PCT = 10.0
"""More polls below the quality threshold than this are no accident."""
COVERED_PCT = 90.0
LATENESS_S = 15.0
THROTTLED_WITHIN = timedelta(hours=1)
STAGE_OVERDUE = timedelta(minutes=30)
PREREQUISITE_MISSING = 424
SWEEPS_MISSED = 3
SWEEP_AGE = timedelta(minutes=15)
"""A sweep may lie back by three of its intervals, and by this in any case."""
BACKLOG_AGE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what it is about, what was seen, what to do."""

    about: str
    seen: str
    advice: str


def problems_of(health: Health) -> tuple[Problem, ...]:
    """Return everything that is wrong, the most pressing first; empty when all is well."""
    silence = tuple(_silence(health))
    return (
        *silence,
        *_overdue_stages(health),
        *_failed_imports(health),
        *_unfinished_races(health),
        # The scheduler starts the sweeps: while it is silent, that they are is no news.
        *(() if silence else _stalled_sweeps(health)),
        *_throttling(health),
        *_failing_functions(health),
        *_lateness(health),
        *_quality(health),
        *_gaps(health),
        *_backlog(health),
    )


def _silence(health: Health) -> Iterator[Problem]:
    """During the racing day something has to run every minute."""
    if not health.racing:
        return
    lasts = [runs.last.ended_at for runs in map(health.runs_of, CLOCKWORKS) if runs.last is not None]
    if lasts and health.at - max(lasts) <= SILENCE:
        return
    seen = f"last ran {_ago(health.at, max(lasts))} ago" if lasts else "has never run"
    yield Problem(
        CLOCKWORKS[0],
        f"{seen}, and there is something to follow or to import",
        "see that its schedule (* * * * *) is on and look at the log of its last execution",
    )


def _overdue_stages(health: Health) -> Iterator[Problem]:
    for stage in health.stages:
        overdue = stage.overdue(health.at)
        if overdue <= STAGE_OVERDUE:
            continue
        progress = stage.progress
        state = "never started" if progress is None else f"{progress.done} done, {progress.remaining} remaining"
        yield Problem(
            stage.stage.value,
            f"not complete {_minutes(overdue)} after its hour ({state})",
            f"look at the failures in the answer of its last run, and start it: POST {{}} to {stage.stage.value}",
        )


def _failed_imports(health: Health) -> Iterator[Problem]:
    """The three imports run too seldom to be judged by how many percent of their runs succeed."""
    for stage in health.stages:
        last = health.runs_of(stage.stage.value).last
        if last is None or health.at - last.started_at > LOOKED_BACK or stage.overdue(health.at) > STAGE_OVERDUE:
            continue
        if last.status_code >= 500 or last.status_code == PREREQUISITE_MISSING:
            yield Problem(
                stage.stage.value,
                f"its last run, {_ago(health.at, last.ended_at)} ago, ended with {last.status_code}",
                f"read its message in function-runs, and start it again: POST {{}} to {stage.stage.value}",
            )


def _stalled_sweeps(health: Health) -> Iterator[Problem]:
    """While there is racing, what sweeps has to come along every few minutes."""
    if health.sweeps.every_minutes == 0 or not health.racing:
        return
    allowed = max(SWEEP_AGE, SWEEPS_MISSED * timedelta(minutes=health.sweeps.every_minutes))
    # It runs every minute, so its runs say for how long it could have started them; without it nothing has to sweep.
    schedule_ran_for = timedelta(minutes=health.runs_of(CLOCKWORKS[0]).runs)
    for function, swept_to in health.sweeps.swept_to.items():
        behind = schedule_ran_for if swept_to is None else health.at - swept_to
        if behind <= allowed:
            continue
        seen = "has never swept" if swept_to is None else f"has swept no further than {_minutes(behind)} ago"
        yield Problem(
            function,
            f"{seen}: what lost events left out stays out",
            f"see in function-runs what its runs without an event answered, and whether {CLOCKWORKS[0]} starts them "
            f"every {health.sweeps.every_minutes} min (RACEDAY_SWEEP_MINUTES)",
        )


def _unfinished_races(health: Health) -> Iterator[Problem]:
    late = [race for race in health.unfinished if health.at - race.advertised_start > UNFINISHED]
    if not late:
        return
    oldest = late[0]
    others = f" ({len(late) - 1} more like it)" if len(late) > 1 else ""
    yield Problem(
        oldest.label,
        f"started {_ago(health.at, oldest.advertised_start)} ago and is still {oldest.status}{others}",
        f"look for {oldest.race_id} in poll_logs, and poll it: "
        f'POST {{"raceId": "{oldest.race_id}", "force": true}} to single-race-poller',
    )


def _throttling(health: Health) -> Iterator[Problem]:
    tally = health.throttling
    if tally is None or health.at - tally.last_at > THROTTLED_WITHIN:
        return
    yield Problem(
        "feed",
        f"asked us to slow down {_ago(health.at, tally.last_at)} ago; {_count(tally.polls, 'poll')} in 24 hours lost",
        "lower RACEDAY_FEED_REQUESTS_PER_S, or have fewer callers: the budget is per process",
    )


def _failing_functions(health: Health) -> Iterator[Problem]:
    for runs in health.functions:
        if runs.runs >= JUDGED_RUNS and runs.success_pct is not None and runs.success_pct < runs.target.success_pct:
            yield Problem(
                runs.function,
                f"{runs.failed} of {runs.runs} runs failed: {_floored(runs.success_pct)} % succeeded, "
                f"{runs.target.success_pct} % are wanted",
                f"read message in function-runs where function is {runs.function} and statusCode is 500 or more",
            )


def _lateness(health: Health) -> Iterator[Problem]:
    if health.polls.polls >= JUDGED_RUNS and health.polls.lateness_p95_s > LATENESS_S:
        yield Problem(
            "polls",
            f"5 % of {health.polls.polls} were {health.polls.lateness_p95_s:.0f} s or more late",
            "raise RACEDAY_CONCURRENCY, or look at latencyMs in race-polls: the feed may be slow",
        )


def _quality(health: Health) -> Iterator[Problem]:
    degraded = sum(health.quality.degraded.values())
    if health.polls.polls < JUDGED_RUNS or 100 * degraded <= DEGRADED_PCT * health.polls.polls:
        return
    component = max(health.quality.degraded, key=lambda name: health.quality.degraded[name])
    yield Problem(
        "quality",
        f"{degraded} of {health.polls.polls} polls scored below {health.quality.threshold}, most for {component}",
        "docs/quality.md says what a component means; poll_logs has what each DegradedPoll lacked",
    )


def _gaps(health: Health) -> Iterator[Problem]:
    gaps = [
        coverage
        for coverage in worst_first(health.coverage)
        if coverage.race.status.terminal and coverage.pct is not None and coverage.pct < COVERED_PCT
    ]
    if not gaps:
        return
    worst = gaps[0]
    yield Problem(
        "coverage",
        f"{_count(len(gaps), 'race')} over with less than {COVERED_PCT:.0f} % of the time buckets; worst "
        f"{worst.race.label} with {worst.present} of {len(worst.expected)}",
        "what was missed cannot be had later; poll_logs and function-runs say why for the minutes that are missing",
    )


def _backlog(health: Health) -> Iterator[Problem]:
    waiting = (
        ("alerts", health.backlog.oldest_alert_at, f"{_count(health.backlog.alerts, 'evaluation')} to finish"),
        ("deliveries", health.backlog.oldest_due_at, f"{_count(health.backlog.deliveries, 'notification')} to send"),
    )
    for about, oldest, what in waiting:
        if oldest is not None and health.at - oldest > BACKLOG_AGE:
            yield Problem(
                about,
                f"{what}, the oldest waits for {_ago(health.at, oldest)}",
                "see that the scheduler starts alert-evaluator (RACEDAY_SWEEP_MINUTES) and what its runs answer",
            )


def success_text(runs: FunctionRuns) -> str:
    """Return how many percent of the runs succeeded, never rounded up to a target it misses; `-` without runs."""
    return "-" if runs.success_pct is None else f"{_floored(runs.success_pct)}"


def _floored(pct: float) -> float:
    return int(pct * 100) / 100


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _ago(at: datetime, since: datetime) -> str:
    return _minutes(at - since)


def _minutes(span: timedelta) -> str:
    """Return a span in whole minutes, and from three hours on in hours."""
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes < 180 else f"{minutes // 60} h"
