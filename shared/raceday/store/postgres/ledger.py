"""RaceDay's own books in PostgreSQL: failed polls, runs, stages of the daily import, and counts of everything."""

from __future__ import annotations

from datetime import date, datetime

from raceday.domain.poll_audit import PollMark
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import json_rows, selected
from raceday.store.rows.polls import (
    MARK_COLUMNS,
    failure_row,
    poll_mark,
    run_ended_at,
    run_row,
    stage_id,
    stage_progress,
    stage_row,
)
from raceday.store.rows.values import instant_text, parse_instant
from raceday.store.tables import DAILY_STAGES, FUNCTION_RUNS, POLL_LOGS, RACE_POLLS, SWEEPS
from raceday.store.values import DayCounts, PollFailure, RunEntry

_COUNTS = """
    SELECT (SELECT count(*) FROM meetings) AS meetings,
           (SELECT count(*) FROM races) AS races,
           (SELECT count(*) FROM entrants) AS entrants,
           (SELECT count(*) FROM race_polls) AS polls,
           (SELECT count(*) FROM poll_logs WHERE error <> 'DegradedPoll') AS failed_polls,
           (SELECT count(*) FROM odds_history) AS odds_ticks,
           (SELECT count(*) FROM money_flow_history) AS money_flow_buckets,
           (SELECT count(*) FROM race_pools WHERE has_data) AS race_pools,
           (SELECT count(*) FROM race_results) AS results,
           (SELECT count(*) FROM notifications) AS notifications,
           (SELECT count(*) FROM jockey_silks) AS silks,
           (SELECT coalesce(jsonb_object_agg(status, races), '{}')
            FROM (SELECT status, count(*) AS races FROM races GROUP BY status) AS counted) AS races_by_status
"""
# Two servers may write one stage at once: only the write itself can tell whether it is complete.
_SAVE_STAGE = """
    INSERT INTO daily_stages AS kept (
        id, racing_date, stage, complete, started_at, finished_at, done, processed, failed, remaining, created_at,
        updated_at
    )
    SELECT
        id, racing_date, stage, complete, started_at, finished_at, done, processed, failed, remaining, said.at, said.at
    FROM jsonb_populate_recordset(NULL::daily_stages, %s::jsonb), (SELECT %s::timestamptz) AS said (at)
    ON CONFLICT (id) DO UPDATE SET (
        complete, started_at, finished_at, done, processed, failed, remaining, updated_at
    ) = (
        excluded.complete, excluded.started_at, excluded.finished_at, excluded.done, excluded.processed,
        excluded.failed, excluded.remaining, excluded.updated_at
    )
    WHERE excluded.complete OR kept.complete IS NOT TRUE
"""


async def log_poll(db: PostgresDatabase, failure: PollFailure) -> None:
    """Write one row of `poll_logs`."""
    rows = json_rows(POLL_LOGS, [failure_row(failure)])
    await db.execute("SELECT upsert_poll_logs(%s::jsonb, %s)", (rows, instant_text(failure.at)))


async def log_run(db: PostgresDatabase, run: RunEntry) -> None:
    """Write one row of the run ledger; the same execution twice leaves one row."""
    rows = json_rows(FUNCTION_RUNS, [run_row(run)])
    await db.execute("SELECT upsert_function_runs(%s::jsonb, %s)", (rows, run_ended_at(run)))


async def stage(db: PostgresDatabase, racing_date: date, which: DailyStage) -> StageProgress | None:
    """Return how far a stage has come, or None when it was never started."""
    row = await db.row(
        f"SELECT {selected(DAILY_STAGES)} FROM daily_stages WHERE id = %s",  # noqa: S608
        (stage_id(racing_date, which),),
    )
    return None if row is None else stage_progress(row)


async def save_stage(db: PostgresDatabase, progress: StageProgress) -> None:
    """Write how far a stage has come, unless it is complete and this would take that back."""
    at = instant_text(progress.finished_at or progress.started_at)
    await db.execute(_SAVE_STAGE, (json_rows(DAILY_STAGES, [stage_row(progress)]), at))


async def swept_to(db: PostgresDatabase, name: str) -> datetime | None:
    """Return up to when a sweep has come, None before its first."""
    rows = await db.tuples("SELECT swept_to FROM sweeps WHERE name = %s", (name,))
    return parse_instant(rows[0][0]) if rows else None


async def note_swept(db: PostgresDatabase, name: str, reached: datetime, at: datetime) -> None:
    """Note up to when a sweep has come."""
    rows = json_rows(SWEEPS, [{"$id": name, "sweptTo": instant_text(reached)}])
    await db.execute("SELECT upsert_sweeps(%s::jsonb, %s)", (rows, instant_text(at)))


async def poll_marks(db: PostgresDatabase, since: datetime | None) -> list[PollMark]:
    """Return when each poll was made and due, of those made at or after `since`."""
    rows = await db.rows(
        f"SELECT {selected(RACE_POLLS, MARK_COLUMNS)} FROM race_polls WHERE polled_at >= %s",  # noqa: S608
        ("-infinity" if since is None else instant_text(since),),
    )
    return [poll_mark(row) for row in rows]


async def day_counts(db: PostgresDatabase) -> DayCounts:
    """Count what is stored; `race_pools` counts the races whose pools a poll has filled."""
    [counts] = await db.rows(_COUNTS)
    return DayCounts(**counts)
