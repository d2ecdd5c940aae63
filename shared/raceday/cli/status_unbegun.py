"""A store that nothing was ever written to: there is nothing overdue in it, only something to begin."""

from __future__ import annotations

from dataclasses import replace

from raceday.domain.health import Health
from raceday.domain.racing_day import DailyStage
from raceday.jobs.health_report import HealthReport
from raceday.jobs.verdicts import Problem

_NOTHING = Problem(
    "imports",
    "nothing was imported yet",
    "once master-race-scheduler runs it starts them; or POST {} to "
    + ", ".join(stage.value for stage in DailyStage)
    + " in turn",
)


def begun(report: HealthReport) -> HealthReport:
    """Return the report; of an empty store without the hours by which its imports are late, which mean nothing."""
    stages = {stage.value for stage in DailyStage}
    overdue = [problem for problem in report.problems if problem.about in stages]
    if not overdue or not _is_empty(report.health):
        return report
    return replace(report, problems=(*(one for one in report.problems if one not in overdue), _NOTHING))


def _is_empty(health: Health) -> bool:
    """Return whether there is no trace of a race, a poll, a run, an import or a sweep, however old."""
    return not (
        health.races
        or health.polls.polls
        or health.failures
        or any(stage.progress for stage in health.stages)
        or any(runs.last for runs in health.functions)
        or any(health.sweeps.swept_to.values())
        or health.retention.history_from
    )
