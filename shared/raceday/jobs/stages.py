"""The daily stages: what was started, what is complete, and which one the scheduler has to start."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from raceday.domain.racing_day import DailyStage, StageProgress, stage_due_at
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport

GRACE = timedelta(minutes=2)
"""How long after its hour a stage may still be started by its own cron before the scheduler steps in."""
RETRY_AFTER = timedelta(minutes=5)
"""How long after a start that got nothing done, or never ended, the scheduler starts a stage again."""


async def start_stage(ports: JobPorts, racing_date: date, stage: DailyStage) -> StageProgress:
    """Note that a stage was started; what earlier runs of the stage did is kept."""
    before = await ports.store.stage(racing_date, stage)
    now = ports.clock.now()
    progress = (
        StageProgress(racing_date, stage, complete=False, started_at=now)
        if before is None
        else replace(before, started_at=now, finished_at=None)
    )
    await ports.store.save_stage(progress)
    return progress


async def finish_stage(ports: JobPorts, progress: StageProgress, report: RunReport, *, complete: bool) -> None:
    """Note how far a stage has come with this run."""
    finished = replace(
        progress,
        complete=complete or progress.complete,
        finished_at=ports.clock.now(),
        done=progress.done + report.processed,
        processed=report.processed,
        failed=report.failed,
        remaining=report.remaining,
    )
    await ports.store.save_stage(finished)
    report.details["stageComplete"] = finished.complete


async def is_complete(ports: JobPorts, racing_date: date, stage: DailyStage) -> bool:
    """Whether a stage has left nothing to do."""
    progress = await ports.store.stage(racing_date, stage)
    return progress is not None and progress.complete


async def unmet_prerequisite(ports: JobPorts, racing_date: date, stage: DailyStage) -> str | None:
    """Return what a stage waits for, as a sentence for whoever started it, or None when it may run.

    Runners need races, but not all of them: one meeting that cannot be had must not hold up the whole card.
    """
    needed = stage.prerequisite
    if needed is None or await is_complete(ports, racing_date, needed):
        return None
    if needed is DailyStage.RACES:
        if await ports.store.races_on(racing_date):
            return None
        return f"no race of {racing_date} is stored: run {needed} first (the scheduler does so by itself)"
    return f"{needed} is not complete for {racing_date}: run it first (the scheduler does so by itself)"


async def missing_stage(ports: JobPorts, racing_date: date) -> DailyStage | None:
    """Return the first stage of the day that is not complete, may run and should be started now, or None.

    A stage whose run got something done and left work behind goes on at once; one that got nothing done, or never
    came back, waits a while. While daily-races waits, daily-entrants goes on with the races that are there.
    """
    now = ports.clock.now()
    for stage in DailyStage:
        progress = await ports.store.stage(racing_date, stage)
        if progress is not None and progress.complete:
            continue
        if not _should_start(progress, now, stage_due_at(racing_date, stage)):
            continue
        if await unmet_prerequisite(ports, racing_date, stage) is None:
            return stage
    return None


def _should_start(progress: StageProgress | None, now: datetime, due_at: datetime) -> bool:
    if progress is None:
        return now >= due_at + GRACE
    goes_on = progress.finished_at is not None and progress.remaining > 0 and progress.processed > 0
    return goes_on or now >= progress.started_at + RETRY_AFTER
