"""The health report as one JSON object: what `status --json` prints; the keys are explained in docs/health.md."""

from __future__ import annotations

from datetime import datetime

from raceday.domain.coverage import FollowedRace, RaceCoverage, coverage_pct, worst_first
from raceday.domain.health import FunctionRuns, Health, StageHealth
from raceday.jobs.health_report import HealthReport


def health_json(report: HealthReport) -> dict[str, object]:
    """Return the whole report; instants are ISO 8601 in UTC, None is what was not measured."""
    health = report.health
    return {
        "ok": report.ok,
        "at": _instant(health.at),
        "problems": [
            {"about": problem.about, "seen": problem.seen, "advice": problem.advice} for problem in report.problems
        ],
        "functions": {runs.function: _function(runs) for runs in health.functions},
        "races": _races(health),
        "coverage": {
            "pct": coverage_pct(health.coverage),
            "races": [_coverage(coverage) for coverage in worst_first(health.coverage)],
        },
        "polls": {
            "made": health.polls.polls,
            "double": health.polls.double_polls,
            "late": health.polls.late_polls,
            "failed": {tally.kind: tally.polls for tally in health.failures},
        },
        "lateness_p95_s": health.polls.lateness_p95_s,
        "quality": {
            "p5": health.quality.p5,
            "p50": health.quality.p50,
            "threshold": health.quality.threshold,
            "degraded": dict(health.quality.degraded),
        },
        "throttling": _throttling(health),
        "stages": {stage.stage.value: _stage(stage, health.at) for stage in health.stages},
        "sweeps": {function: {"swept_to": _instant(swept_to)} for function, swept_to in health.sweeps.swept_to.items()},
        "backlog": {
            "alerts": health.backlog.alerts,
            "oldest_alert_at": _instant(health.backlog.oldest_alert_at),
            "deliveries": health.backlog.deliveries,
            "oldest_due_at": _instant(health.backlog.oldest_due_at),
        },
        "retention": {"days": health.retention.days, "history_from": _instant(health.retention.history_from)},
    }


def _function(runs: FunctionRuns) -> dict[str, object]:
    last = runs.last
    return {
        "last_run_at": _instant(last.started_at) if last is not None else None,
        "last_status": last.status_code if last is not None else None,
        "runs": runs.runs,
        "failed": runs.failed,
        "success_pct": _rounded(runs.success_pct, 3),
        "target_pct": runs.target.success_pct,
        "mean_s": _rounded(runs.mean_s, 3),
        "longest_s": _rounded(runs.longest_s, 3),
        "target_longest_s": runs.target.longest_s,
    }


def _races(health: Health) -> dict[str, object]:
    started = health.started
    unfinished = health.unfinished
    return {
        "started": len(started),
        "over": sum(1 for race in started if race.status.terminal),
        "closed": sum(1 for race in started if race.closed),
        "unfinished": len(unfinished),
        "oldest_unfinished": _unfinished(unfinished[0], health.at) if unfinished else None,
    }


def _unfinished(race: FollowedRace, at: datetime) -> dict[str, object]:
    return {
        "race_id": race.race_id,
        "race": race.label,
        "status": race.status.value,
        "start": _instant(race.advertised_start),
        "minutes": int((at - race.advertised_start).total_seconds() // 60),
    }


def _coverage(coverage: RaceCoverage) -> dict[str, object]:
    return {
        "race_id": coverage.race.race_id,
        "race": coverage.race.label,
        "status": coverage.race.status.value,
        "start": _instant(coverage.race.advertised_start),
        "expected": len(coverage.expected),
        "present": coverage.present,
        "pct": coverage.pct,
        "missing": list(coverage.missing),
    }


def _throttling(health: Health) -> dict[str, object]:
    tally = health.throttling
    return {
        "polls": tally.polls if tally is not None else 0,
        "last_at": _instant(tally.last_at) if tally is not None else None,
        "runs": {runs.function: runs.throttled for runs in health.functions if runs.throttled},
    }


def _stage(stage: StageHealth, at: datetime) -> dict[str, object]:
    progress = stage.progress
    return {
        "complete": stage.complete,
        "due_at": _instant(stage.due_at),
        "started_at": _instant(progress.started_at) if progress is not None else None,
        "done": progress.done if progress is not None else 0,
        "remaining": progress.remaining if progress is not None else None,
        "overdue_s": int(stage.overdue(at).total_seconds()),
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
