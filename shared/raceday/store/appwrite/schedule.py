"""When a race is to be polled, as columns of `poll-claims`: all pollers read their races with one call."""

from __future__ import annotations

from raceday.domain.cadence import PollTarget
from raceday.domain.status import RaceStatus
from raceday.store.rows.states import poll_target
from raceday.store.rows.values import Row, StoredRow

TARGET_COLUMNS = (
    "meetingId",
    "startTime",
    "status",
    "lastPollAt",
    "notBefore",
    "resultPending",
    "owner",
    "token",
    "claimedAt",
    "expiresAt",
)
"""Of a claim's row, what choosing and claiming a race needs: all but the state and what waits."""


def schedule_columns(meeting_id: str, start: str, status: RaceStatus, *, result_pending: bool) -> Row:
    """Return what the pollers need to know of a race; `start` is its advertised start as text."""
    return {
        "meetingId": meeting_id,
        "startTime": start,
        "status": status.value,
        "toPoll": not status.terminal or result_pending,
        "resultPending": result_pending,
    }


def target_of(claim: StoredRow) -> PollTarget:
    """Return the target that a row of `poll-claims` describes."""
    return poll_target(
        claim["$id"],
        claim["meetingId"],
        claim["startTime"],
        claim["status"],
        claim["lastPollAt"],
        claim["notBefore"],
        claim["resultPending"],
    )
