"""RaceDay's own books as rows: polls, failures, runs and the stages of the daily import."""

from __future__ import annotations

from datetime import date, timedelta

from raceday.domain.ids import derived_id
from raceday.domain.poll_audit import PollMark
from raceday.domain.quality import COMPONENTS
from raceday.domain.race_poll import RacePoll
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.store.rows.values import (
    Row,
    StoredRow,
    fitted,
    instant_text,
    optional_instant_text,
    parse_instant,
    parse_optional_instant,
)
from raceday.store.tables import FUNCTION_RUNS, POLL_LOGS
from raceday.store.values import PollClaim, PollFailure, RunEntry

_POINT_COLUMNS = {
    "completeness": "completenessPoints",
    "hold_sum": "holdSumPoints",
    "hold_against_implied": "holdAgainstImpliedPoints",
    "monotone_pools": "monotonePoolsPoints",
    "payload_age": "payloadAgePoints",
    "duplicates": "duplicatesPoints",
}


DEGRADED = "DegradedPoll"
"""The kind of a row of `poll_logs` about a poll that was kept."""


def poll_row(poll: RacePoll, claim: PollClaim) -> Row:
    """Return one poll as a row of `race-polls`."""
    timing = poll.timing
    polled_at = instant_text(timing.polled_at)
    row: Row = {
        "$id": derived_id("poll", poll.race.race_id, polled_at),
        "raceId": poll.race.race_id,
        "polledAt": polled_at,
        "dueAt": optional_instant_text(timing.due_at),
        "intervalS": timing.interval_s,
        "latenessS": timing.lateness_s,
        "latencyMs": timing.latency_ms,
        "status": poll.status.value,
        "changed": poll.changed,
        "dataQualityScore": poll.quality.score,
        "mathematicallyConsistent": poll.consistent,
        "isStale": poll.stale,
        "payloadAt": instant_text(poll.generated_at),
        "polledBy": claim.owner,
        "degraded": poll.degraded,
    }
    return row | {_POINT_COLUMNS[component]: getattr(poll.quality, component) for component in COMPONENTS}


MARK_COLUMNS = ("raceId", "polledAt", "dueAt", "intervalS", "dataQualityScore")


def poll_mark(row: StoredRow) -> PollMark:
    """Return when a stored poll was made and due."""
    return PollMark(
        row["raceId"],
        parse_instant(row["polledAt"]),
        parse_optional_instant(row["dueAt"]),
        row["intervalS"],
        row["dataQualityScore"],
    )


def failure_row(failure: PollFailure) -> Row:
    """Return a failed poll as a row of `poll_logs`."""
    at = instant_text(failure.at)
    row: Row = {
        "$id": derived_id("failure", failure.race_id, at, failure.execution_id, failure.error),
        "raceId": failure.race_id,
        "occurredAt": at,
        "function": failure.function,
        "executionId": failure.execution_id,
        "error": failure.error,
        "message": failure.message,
        "latencyMs": failure.latency_ms,
        "payload": failure.payload.decode("utf-8", "replace") or None,
    }
    return fitted(POLL_LOGS, row)


def degraded_row(poll: RacePoll, claim: PollClaim) -> Row:
    """Return a poll that was kept although its quality is low as a row of `poll_logs`."""
    at = instant_text(poll.timing.polled_at)
    row: Row = {
        "$id": derived_id("degraded", poll.race.race_id, at),
        "raceId": poll.race.race_id,
        "occurredAt": at,
        "executionId": claim.owner,
        "error": DEGRADED,
        "message": f"kept with a score of {poll.quality.score}: {poll.quality.losses}",
        "latencyMs": poll.timing.latency_ms,
    }
    return fitted(POLL_LOGS, row)


def run_row(run: RunEntry) -> Row:
    """Return a function run as a row of `function-runs`."""
    row: Row = {
        "$id": derived_id("run", run.function, run.execution_id),
        "executionId": run.execution_id,
        "function": run.function,
        "trigger": run.trigger,
        "startedAt": instant_text(run.started_at),
        "durationMs": run.duration_ms,
        "statusCode": run.status_code,
        "processed": run.processed,
        "failed": run.failed,
        "skipped": run.skipped,
        "remaining": run.remaining,
        "feedCalls": run.feed_calls,
        "storeCalls": run.store_calls,
        "peakRssMb": run.peak_rss_mb,
        "message": run.message,
    }
    return fitted(FUNCTION_RUNS, row)


def run_ended_at(run: RunEntry) -> str:
    """Return when a run ended, as text."""
    return instant_text(run.started_at + timedelta(milliseconds=run.duration_ms))


def stage_id(racing_date: date, stage: DailyStage) -> str:
    """Return the row id of one stage of one racing day."""
    return f"{racing_date.isoformat()}.{stage.value}"


def stage_row(progress: StageProgress) -> Row:
    """Return a stage's progress as a row of `daily-stages`."""
    return {
        "$id": stage_id(progress.racing_date, progress.stage),
        "racingDate": progress.racing_date.isoformat(),
        "stage": progress.stage.value,
        "complete": progress.complete,
        "startedAt": instant_text(progress.started_at),
        "finishedAt": optional_instant_text(progress.finished_at),
        "done": progress.done,
        "processed": progress.processed,
        "failed": progress.failed,
        "remaining": progress.remaining,
    }


def stage_progress(row: StoredRow) -> StageProgress:
    """Return the progress that a stored row of `daily-stages` describes."""
    return StageProgress(
        racing_date=date.fromisoformat(row["racingDate"]),
        stage=DailyStage(row["stage"]),
        complete=bool(row["complete"]),
        started_at=parse_instant(row["startedAt"]),
        finished_at=parse_optional_instant(row["finishedAt"]),
        done=row["done"],
        processed=row["processed"],
        failed=row["failed"],
        remaining=row["remaining"],
    )
