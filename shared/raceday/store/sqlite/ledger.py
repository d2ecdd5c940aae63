"""RaceDay's own books in SQLite: failed polls, runs, stages of the daily import, and counts of everything."""

from __future__ import annotations

from datetime import date, datetime

from raceday.domain.poll_audit import PollMark
from raceday.domain.racing_day import DailyStage, StageProgress
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
from raceday.store.sqlite.connection import SqliteConnection
from raceday.store.tables import DAILY_STAGES, FUNCTION_RUNS, POLL_LOGS, SWEEPS
from raceday.store.values import DayCounts, PollFailure, RunEntry

_COUNTS = """
    SELECT (SELECT count(*) FROM meetings) AS meetings,
           (SELECT count(*) FROM races) AS races,
           (SELECT count(*) FROM entrants) AS entrants,
           (SELECT count(*) FROM race_polls) AS polls,
           (SELECT count(*) FROM poll_logs WHERE error <> 'DegradedPoll') AS failed_polls,
           (SELECT count(*) FROM odds_history) AS odds_ticks,
           (SELECT count(*) FROM money_flow_history) AS money_flow_buckets,
           (SELECT count(*) FROM race_pools WHERE "hasData") AS race_pools,
           (SELECT count(*) FROM race_results) AS results,
           (SELECT count(*) FROM notifications) AS notifications,
           (SELECT count(*) FROM jockey_silks) AS silks
"""


def log_poll(db: SqliteConnection, failure: PollFailure) -> None:
    """Write one row of `poll_logs`."""
    with db.writing():
        db.upsert(POLL_LOGS, [failure_row(failure)], instant_text(failure.at))


def log_run(db: SqliteConnection, run: RunEntry) -> None:
    """Write one row of the run ledger; the same execution twice leaves one row."""
    with db.writing():
        db.upsert(FUNCTION_RUNS, [run_row(run)], run_ended_at(run))


def stage(db: SqliteConnection, racing_date: date, which: DailyStage) -> StageProgress | None:
    """Return how far a stage has come, or None when it was never started."""
    with db.reading():
        row = db.row('SELECT * FROM daily_stages WHERE "$id" = ?', (stage_id(racing_date, which),))
    return None if row is None else stage_progress(row)


def save_stage(db: SqliteConnection, progress: StageProgress) -> None:
    """Write how far a stage has come, unless it is complete and this would take that back."""
    row = stage_row(progress)
    with db.writing():
        stored = db.row('SELECT complete FROM daily_stages WHERE "$id" = ?', (row["$id"],))
        if stored is None or progress.complete or not stored["complete"]:
            db.upsert(DAILY_STAGES, [row], instant_text(progress.finished_at or progress.started_at))


def swept_to(db: SqliteConnection, name: str) -> datetime | None:
    """Return up to when a sweep has come, None before its first."""
    rows = db.read('SELECT "sweptTo" FROM sweeps WHERE "$id" = ?', (name,))
    return parse_instant(rows[0][0]) if rows else None


def note_swept(db: SqliteConnection, name: str, reached: datetime, at: datetime) -> None:
    """Note up to when a sweep has come."""
    with db.writing():
        db.upsert(SWEEPS, [{"$id": name, "name": name, "sweptTo": instant_text(reached)}], instant_text(at))


def poll_marks(db: SqliteConnection, since: datetime | None) -> list[PollMark]:
    """Return when each poll was made and due, of those made at or after `since`."""
    names = ", ".join(f'"{column}"' for column in MARK_COLUMNS)
    from_text = "" if since is None else instant_text(since)
    with db.reading():
        rows = db.rows(f'SELECT {names} FROM race_polls WHERE "polledAt" >= ?', (from_text,))  # noqa: S608
    return [poll_mark(row) for row in rows]


def day_counts(db: SqliteConnection) -> DayCounts:
    """Count what is stored; `race_pools` counts the races whose pools a poll has filled."""
    with db.reading():
        counts = db.row(_COUNTS) or {}
        by_status = db.tuples("SELECT status, count(*) FROM races GROUP BY status")
    return DayCounts(**counts, races_by_status=dict(by_status))
